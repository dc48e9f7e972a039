"""Plugins as their users have them: installed with pip into a folder of their own, used in a process of their own."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Installed:
    """A folder with installed plugins; everything runs in `work`."""

    site: Path
    work: Path

    @classmethod
    def of(cls, work: Path, *sources: Path) -> "Installed":
        """Install these distributions below a working folder."""
        for source in sources:
            copy = work / "source" / source.name
            shutil.copytree(source, copy)  # pip builds inside the folder it is given
            install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
            command = [*install, "--target", str(work / "site"), str(copy)]
            subprocess.run(command, check=True, capture_output=True)
        return cls(work / "site", work)

    def python(self, code: str) -> str:
        """Return what a program prints that finds the plugins and has `main`, the command line."""
        start = f"import sys; sys.path.insert(0, {str(self.site)!r}); from benchmark.cli.main import main\n"
        done = subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, cwd=self.work)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def benchmark(self, *words: str | Path, code: int = 0) -> str:
        """Return what a command prints, which must end with this exit code."""
        shown: Sequence[str] = list(map(str, words))
        return self.python(f"code = main({shown!r}); sys.exit(0 if code == {code} else f'exit code {{code}}')")
