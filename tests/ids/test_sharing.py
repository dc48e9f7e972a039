"""`benchmark ids push`: a folder that others read, and the same by way of a server that speaks as the Hub does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hub_server import hub

from benchmark.cli.main import main
from benchmark.ids.assigning import assign_ids
from benchmark.ids.id_set import open_ids
from benchmark.ids.items import read_corpus
from benchmark.results.result_files import read_id_lines

pytestmark = pytest.mark.usefixtures("small_encoder")

RUN = ["--tasks", "id-quality", "--device", "cpu"]


@pytest.fixture(scope="module")
def cell(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    words = ["run", "--methods", "rqkmeans", "--set", "rqkmeans.codebook_size=8", "--dataset", str(shop), *RUN]
    assert main([*words, "--runs", str(runs)]) == 0
    return next(runs.glob("shop/rqkmeans/*/seed-0"))


@pytest.fixture(scope="module")
def pushed(cell: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pushed") / "mine"
    assert main(["ids", "push", str(cell), str(folder), "--licence", "cc-by-4.0"]) == 0
    return folder


def test_other_libraries_read_the_folder(pushed: Path, cell: Path, tmp_path: Path) -> None:
    """The Hub's own loader and pandas give the IDs of ids.unique.tsv; nothing in the folder is pickled."""
    import pandas as pd

    import datasets

    assert {path.name for path in pushed.iterdir()} == {"README.md", "ids.json", "ids.parquet"}
    expected = read_id_lines(cell / "ids.unique.tsv")
    loaded = datasets.load_dataset(str(pushed), cache_dir=str(tmp_path))["train"]
    frame = pd.read_parquet(pushed / "ids.parquet")
    for rows in (loaded, frame.to_dict("records")):
        assert {row["id"]: (*row["codes"], row["counter"]) for row in rows} == expected


def test_the_card_says_how_the_ids_were_made(pushed: Path, cell: Path) -> None:
    from huggingface_hub import DatasetCard

    result = json.loads((cell / "result.json").read_text())
    card, about = DatasetCard.load(pushed / "README.md"), json.loads((pushed / "ids.json").read_text())
    assert card.data.license == about["licence"] == "cc-by-4.0"
    said = (
        result["dataset"]["fingerprint"],
        "rqkmeans",
        '"codebook_size": 8',
        "encoder: default",
        "title, description",
    )
    assert all(text in card.text for text in said)
    assert f"{result['metrics']['id-quality']['AMI']:.4f}" in card.text
    assert about["metrics"] == result["metrics"] and about["settings"] == result["config"]["method"]


def test_the_same_ids_give_the_same_bytes_and_a_folder_is_not_overwritten(
    pushed: Path, cell: Path, tmp_path: Path, capsys: Any
) -> None:
    assert main(["ids", "push", str(cell), str(tmp_path / "again"), "--licence", "cc-by-4.0"]) == 0
    for path in pushed.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
    assert main(["ids", "push", str(cell), str(tmp_path / "again")]) == 2
    assert "is already there" in capsys.readouterr().err


def test_a_run_takes_the_folder_as_ids_and_inspect_and_diff_read_it(
    pushed: Path, cell: Path, shop: Path, tmp_path: Path, capsys: Any
) -> None:
    words = ["run", "--ids", str(pushed), "--dataset", str(shop), *RUN, "--runs", str(tmp_path)]
    assert main(words) == 0
    found = next(tmp_path.glob("shop/mine/*/seed-0"))
    assert (found / "ids.tsv").read_bytes() == (cell / "ids.tsv").read_bytes()
    capsys.readouterr()
    assert main(["ids", "diff", str(cell), str(pushed), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["moved"] == []
    assert main(["ids", "inspect", str(pushed), "i07"]) == 0


def test_generate_gets_the_same_ids_from_the_folder_from_records_and_from_the_cell(
    pushed: Path, cell: Path, tmp_path: Path
) -> None:
    from benchmark.hf import read_ids

    unique = read_id_lines(cell / "ids.unique.tsv")
    lines = [json.dumps({"id": item, "codes": codes[:-1], "counter": codes[-1]}) for item, codes in unique.items()]
    (tmp_path / "all.jsonl").write_text("\n".join(lines))
    expected = read_ids(cell)
    for source in (pushed, tmp_path / "all.jsonl"):
        ids = read_ids(source)
        assert ids.items == expected.items and ids.tokens == expected.tokens
        assert np.array_equal(ids.codes.values, expected.codes.values)


def test_ids_of_a_file_can_be_shared_too(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps({"a": [1, 2], "b": [1, 2], "c": [0]}))
    assert main(["ids", "push", str(tmp_path / "mine.json"), str(tmp_path / "out")]) == 0
    ids = open_ids(str(tmp_path / "out"))
    assert ids.items == ("a", "b", "c") and ids.codes.values.tolist() == [[1, 2], [1, 2], [0, -1]]
    assert json.loads((tmp_path / "out" / "ids.json").read_text())["licence"] == "unknown"


def test_ids_go_to_a_server_and_come_back(cell: Path, pushed: Path, shop: Path, tmp_path: Path) -> None:
    with hub() as (address, files, asked):
        environment = {
            **os.environ, "HF_ENDPOINT": address, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "hf"),
            "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": "hf_loopback",
        }  # fmt: skip

        def called(*words: str) -> str:
            command = [sys.executable, "-m", "benchmark", *words]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
            assert done.returncode == 0, done.stderr + "\n".join(asked)
            return done.stdout

        where = called("ids", "push", str(cell), "hub:org/mine", "--licence", "cc-by-4.0")
        assert where.strip() == f"{address}/datasets/org/mine"
        sent = {name: content for name, content in files.items() if name != ".gitattributes"}
        assert sent == {path.name: path.read_bytes() for path in pushed.iterdir()}
        runs = ["--runs", str(tmp_path / "runs")]
        called("run", "--ids", "hub:org/mine", "--dataset", str(shop), *RUN, *runs)
    found = next((tmp_path / "runs").glob("shop/mine/*/seed-0"))
    assert (found / "ids.tsv").read_bytes() == (cell / "ids.tsv").read_bytes()


def test_what_is_not_on_the_hub_is_one_message(capsys: Any) -> None:
    assert main(["ids", "inspect", "hub:nobody/nothing"]) == 1
    assert "hub:nobody/nothing: could not be downloaded from the Hugging Face Hub" in capsys.readouterr().err
    assert main(["ids", "inspect", "hub:nothing"]) == 2
    assert "write hub:org/name" in capsys.readouterr().err


def published(folder: Path) -> dict[str, tuple[int, ...]]:
    import pyarrow.parquet as pq

    rows = pq.read_table(folder / "ids.parquet").to_pylist()
    return {row["id"]: (*row["codes"], row["counter"]) for row in rows}


@pytest.fixture(scope="module")
def withheld(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cell of which some items came later: their counters come after all others, whatever their rows."""
    runs = tmp_path_factory.mktemp("runs")
    words = ["run", "--methods", "hc", "--set", "hc.children=4", "--set", "hc.leaf_factor=8", "--dataset", str(shop)]
    assert main([*words, *RUN, "--split", "cold-start:0.2", "--runs", str(runs)]) == 0
    return next(runs.glob("shop/hc/*/seed-0"))


def test_counters_of_withheld_items_are_those_of_the_cell(withheld: Path, tmp_path: Path) -> None:
    assert main(["ids", "push", str(withheld), str(tmp_path / "out")]) == 0
    expected = read_id_lines(withheld / "ids.unique.tsv")
    assert published(tmp_path / "out") == expected
    ids = open_ids(str(withheld))
    assert ids.counters.tolist() != ids.codes.counter().tolist()
    assert main(["ids", "repair", str(withheld), "--by", "counter", "--out", str(tmp_path / "c.tsv")]) == 0
    assert read_id_lines(tmp_path / "c.tsv") == expected


def test_a_pushed_folder_pushed_again_is_the_same_folder(withheld: Path, tmp_path: Path) -> None:
    one, two, other = (tmp_path / name for name in ("one", "two", "other"))
    assert main(["ids", "push", str(withheld), str(one), "--licence", "cc-by-4.0"]) == 0
    assert main(["ids", "push", str(one), str(two)]) == 0
    assert {path.name: path.read_bytes() for path in one.iterdir()} == {
        path.name: path.read_bytes() for path in two.iterdir()
    }
    assert main(["ids", "push", str(one), str(other), "--licence", "mit"]) == 0
    before, after = (json.loads((folder / "ids.json").read_text()) for folder in (one, other))
    assert after == {**before, "licence": "mit"} and before["method"] == "hc" and before["metrics"]


def test_ids_json_of_another_format_is_refused(pushed: Path, tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "mine"
    assert main(["ids", "push", str(pushed), str(folder)]) == 0
    about = json.loads((folder / "ids.json").read_text())
    for wrong, message in (
        ({**about, "format": 99}, "format 99; this version reads 1"),
        ({**about, "metrics": 3}, "'metrics' is a int"),
        ([], "format None"),
    ):
        (folder / "ids.json").write_text(json.dumps(wrong))
        capsys.readouterr()
        assert main(["ids", "push", str(folder), str(tmp_path / "out")]) == 2
        assert message in capsys.readouterr().err


def test_ids_of_new_items_are_published_as_they_were_assigned(
    cell: Path, shop: Path, tmp_path: Path, capsys: Any
) -> None:
    """Also where the file has only the later items of a group: what is not there counts as well."""
    item = json.loads((shop / "items.jsonl").read_text().split("\n", 1)[0])
    (tmp_path / "items.jsonl").write_text("".join(json.dumps({**item, "id": f"n{n}"}) + "\n" for n in range(3)))
    found = assign_ids(cell, read_corpus(str(tmp_path / "items.jsonl")))
    lines = list(found.lines())[1:]
    (tmp_path / "c.jsonl").write_text("".join(lines))
    assert main(["ids", "push", str(tmp_path / "c.jsonl"), str(tmp_path / "pc")]) == 0
    assert published(tmp_path / "pc") == {item: (*found.ids[item][0], found.ids[item][1]) for item in ("n1", "n2")}
    assert published(tmp_path / "pc")["n1"][-1] >= 2
    twice = {**json.loads(lines[0]), "id": "other"}
    (tmp_path / "d.jsonl").write_text("".join([*lines, json.dumps(twice)]))
    assert main(["ids", "push", str(tmp_path / "d.jsonl"), str(tmp_path / "pd")]) == 2
    assert "2 items share codes and counter with another one, e.g. 'n1'" in capsys.readouterr().err
    words = ["ids", "repair", str(tmp_path / "d.jsonl"), "--by", "counter", "--out", str(tmp_path / "e.jsonl")]
    assert main(words) == 0
    assert main(["ids", "push", str(tmp_path / "e.jsonl"), str(tmp_path / "pe")]) == 0
    assert len(set(published(tmp_path / "pe").values())) == 3


def test_records_without_a_counter_are_counted_in_their_order(tmp_path: Path, capsys: Any) -> None:
    lines = ['{"id": "a", "codes": [1]}\n', '{"id": "b", "codes": [1]}\n', '{"id": "c", "codes": [1], "counter": 7}\n']
    (tmp_path / "mine.jsonl").write_text("".join(lines[:2]))
    assert main(["ids", "push", str(tmp_path / "mine.jsonl"), str(tmp_path / "out")]) == 0
    assert published(tmp_path / "out") == {"a": (1, 0), "b": (1, 1)}
    (tmp_path / "mixed.jsonl").write_text(lines[2] + lines[0])
    assert main(["ids", "push", str(tmp_path / "mixed.jsonl"), str(tmp_path / "no")]) == 2
    assert "mixed.jsonl:2: expected" in capsys.readouterr().err
