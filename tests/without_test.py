"""A small judged data set, and its copy by `benchmark data write --without-test`."""

from pathlib import Path

from benchmark.cli.main import main
from benchmark.data.dataset import Dataset, open_dataset

QRELS = {"test": "q1 0 a 1\n", "train": "".join(f"t{n} 0 {'abc'[n % 3]} 1\n" for n in range(25)), "dev": "d1 0 b 2\n"}


def made(folder: Path, *splits: str, **files: str) -> Path:
    """A data set of three items with the judgments of these splits."""
    folder.mkdir(parents=True)
    (folder / "items.jsonl").write_text("".join(f'{{"id": "{name}", "title": "thing {name}"}}\n' for name in "abc"))
    if splits:
        names = ["q1", "d1", *(f"t{n}" for n in range(25))]
        (folder / "queries.tsv").write_text("".join(f"{name}\twhere is {name}\n" for name in names))
    for split in splits:
        (folder / f"qrels{'' if split == 'test' else '.' + split}.txt").write_text(QRELS[split])
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def copied(source: Path, folder: Path, cache: Path) -> Dataset:
    assert main(["data", "write", str(source), str(folder), "--without-test", "--runs", str(cache)]) == 0
    return open_dataset(str(folder), cache=cache)
