"""The commands on a page of documentation: lines of four spaces and `benchmark`, which may go on after a backslash."""

import re
import shlex
from pathlib import Path


def commands(text: str) -> list[str]:
    """Return the commands of a page, each as one line."""
    return [line.strip() for line in re.findall(r"^    (benchmark .*)$", re.sub(r" \\\n +", " ", text), re.M)]


def typed(line: str) -> list[str]:
    """Return the words behind `benchmark` as a shell makes them: a pattern becomes the path that it fits."""
    words = []
    for word in shlex.split(line)[1:]:
        paths = sorted(map(str, Path().glob(word))) if "*" in word else [word]
        assert len(paths) == 1, f"{word} fits {len(paths)} paths"
        words += paths
    return words
