"""Training curves of a stage: they are kept beside its result."""

from pathlib import Path


def keep_logs(work: Path, folder: Path) -> None:
    """Copy the logs out of a stage's work folder."""
    for log in sorted(work.glob("*.log.jsonl")):
        (folder / log.name).write_bytes(log.read_bytes())
