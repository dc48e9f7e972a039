"""IDs on the Hugging Face Hub: `hub:org/name`, or `hub:org/name@revision`, is a data set that `ids push` has written.

`HF_ENDPOINT` names another server, as it does for every program that uses the Hub.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError, UsageError

HUB = "hub:"
CARD, ABOUT, IDS = "README.md", "ids.json", "ids.parquet"


def is_on_hub(source: str) -> bool:
    """Say whether a source of IDs is a name on the Hub."""
    return source.startswith(HUB)


def local_ids(source: str) -> str:
    """Return a source of IDs as a local path; what lies on the Hub is downloaded into its cache.

    Raises BenchmarkError where it cannot be downloaded.
    """
    if not is_on_hub(source):
        return source
    name, revision = hub_name(source)
    from huggingface_hub import snapshot_download

    with _named(f"{source}: could not be downloaded from the Hugging Face Hub"):
        return snapshot_download(
            name, repo_type="dataset", revision=revision, allow_patterns=[IDS, ABOUT, CARD], endpoint=endpoint()
        )


def upload(folder: Path, target: str, message: str) -> str:
    """Upload a folder as a data set on the Hub, made where it is missing; return its address.

    Raises BenchmarkError where the Hub refuses it: writing needs a token (`hf auth login`).
    """
    from huggingface_hub import HfApi

    name, revision = hub_name(target)
    with _named(f"{target}: could not be uploaded to the Hugging Face Hub"):
        api = HfApi(endpoint=endpoint())
        api.create_repo(name, repo_type="dataset", exist_ok=True)
        api.upload_folder(
            repo_id=name, repo_type="dataset", folder_path=folder, revision=revision, commit_message=message
        )
        return f"{api.endpoint}/datasets/{name}"


def hub_name(source: str) -> tuple[str, str | None]:
    """Return org/name and the revision, None for the newest. Raises UsageError for another form."""
    name, _, revision = source.removeprefix(HUB).partition("@")
    if name.count("/") != 1 or not all(name.split("/")):
        raise UsageError(f"{source}: write {HUB}org/name or {HUB}org/name@revision")
    return name, revision or None


def endpoint() -> str | None:
    """Return the server that the environment names, None for the Hub's own."""
    return os.environ.get("HF_ENDPOINT") or None


class _named:
    """Turn what the Hub's library raises into a BenchmarkError with the first line of its reason."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        from huggingface_hub.utils.tqdm import disable_progress_bars

        disable_progress_bars()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, BenchmarkError):
            reason = str(error).strip().split("\n", 1)[0]
            raise BenchmarkError(f"{self.what}: {reason}") from error
