"""Plugins as their users have them: installed with pip into a folder of their own, used in a process of their own."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import commands


@dataclass(frozen=True)
class Installed:
    """A folder with installed plugins; everything runs in `work`."""

    site: Path
    work: Path

    @classmethod
    def of(cls, work: Path, *sources: Path) -> "Installed":
        """Install these distributions below a working folder."""
        copies = [work / "source" / source.name for source in sources]
        for source, copy in zip(sources, copies, strict=True):
            shutil.copytree(source, copy)  # pip builds inside the folder it is given
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
        subprocess.run([*install, "--target", str(work / "site"), *copies], check=True, capture_output=True)
        return cls(work / "site", work)

    def python(self, code: str) -> str:
        """Return what a program prints that finds the plugins and has `main`, the command line."""
        program = f"from benchmark.cli.main import main\n{code}"
        return commands.ended(commands.begin(program, self.work, self.site), self.work)

    def benchmark(self, *words: str | Path, code: int = 0) -> str:
        """Return what a command prints, which must end with this exit code."""
        return commands.finish(list(map(str, words)), self.work, self.site, code)

    def fresh(self, *words: str | Path) -> str:
        """Return what a command prints in an interpreter that has imported nothing before."""
        program = f"import sys; sys.path.insert(0, {str(self.site)!r}); from benchmark.cli.main import main\n"
        program += f"sys.exit(main({list(map(str, words))!r}))"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=self.work)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
