"""Amazon's reviews of 2018 and 2023 come in."""

from pathlib import Path
from typing import Any

import pytest
from foreign import histories, imported, jsonl, notes, rows, write

from benchmark.cli.main import main


def reviews_2018(*events: tuple[str, str, int]) -> list[dict[str, Any]]:
    return [
        {"overall": 5.0, "verified": True, "reviewTime": "09 1, 2016", "reviewerID": user, "asin": item,
         "reviewText": "Fine", "summary": "Good", "unixReviewTime": time}
        for user, item, time in events
    ]  # fmt: skip


def test_amazon_2018_reviews_and_metadata(tmp_path: Path) -> None:
    events = [("u", "B2", 9), ("u", "B1", 5), ("v", "B1", 5), ("v", "B3", 6)]
    reviews = jsonl(tmp_path / "Toy_5.json.gz", *reviews_2018(*events))
    metadata = jsonl(
        tmp_path / "meta_Toy.json.gz",
        {"category": ["Toys", "Puzzles"], "description": ["Many", "pieces."], "title": "Puzzle", "brand": "Acme",
         "price": "$12.99", "asin": "B1", "rank": [">#1"], "main_cat": "Toys"},
        {"category": [], "description": [], "title": "Ball", "brand": "", "price": ".a-box{color: red}", "asin": "B2"},
        {"asin": "B9", "title": "Never reviewed"},
        {"asin": "B1", "title": "Puzzle again"},
    )  # fmt: skip
    dataset = imported(tmp_path, "amazon-2018", reviews, metadata, check=False)
    assert rows(dataset, "id", "title", "description", "brand", "price", "categories") == [
        ("B1", "Puzzle", "Many pieces.", "Acme", "$12.99", ["Toys", "Puzzles"]),
        ("B2", "Ball", None, None, None, None), ("B3", None, None, None, None, None),
    ]  # fmt: skip
    assert histories(dataset) == {"u": ["B1", "B2"], "v": ["B1", "B3"]}
    for expected in (
        "1 repeated metadata lines", "1 items have a price that is not valid", "1 items have events but no line",
        "1 items have no text: too many for a run without --no-check",
        "1 users' events are not in time order", "meta_Toy.json.gz: 2 fields left out: rank, main_cat",
    ):  # fmt: skip
        assert expected in notes(dataset)


META_2023 = [
    {"main_category": "All Beauty", "title": "Howard wax", "average_rating": 4.8, "features": ["Shines"], "price": None,
     "description": ["A", "wax"], "images": [], "store": "Howard Products", "categories": ["Beauty", "Wax"],
     "details": {"Size": "11 oz"}, "parent_asin": "P1"},
    {"title": "Soap", "price": 3.5, "store": None, "details": {"Brand": "Acme"}, "categories": [], "parent_asin": "P2"},
]  # fmt: skip


def test_amazon_2023_reviews_and_metadata(tmp_path: Path) -> None:
    events = [("u", "P2", 1588687728923), ("u", "P1", 1588687728000)]
    reviews = jsonl(
        tmp_path / "All_Beauty.jsonl.gz",
        *(
            {"rating": 5.0, "asin": "X", "parent_asin": item, "user_id": user, "timestamp": time}
            for user, item, time in events
        ),
    )
    dataset = imported(tmp_path, "amazon-2023", reviews, jsonl(tmp_path / "meta.jsonl.gz", *META_2023))
    assert rows(dataset, "id", "title", "description", "brand", "price", "features", "details", "categories") == [
        ("P1", "Howard wax", "A wax", "Howard Products", None, "Shines", "Size: 11 oz", ["Beauty", "Wax"]),
        ("P2", "Soap", None, "Acme", "3.5", None, "Brand: Acme", None),
    ]
    assert "meta.jsonl.gz: 3 fields left out: main_category, average_rating, images" in notes(dataset)
    assert histories(dataset) == {"u": ["P1", "P2"]}


@pytest.mark.parametrize("header", ["", "user_id,parent_asin,rating,timestamp\n"])
def test_amazon_2023s_own_5_core_files_have_a_header_or_not(tmp_path: Path, header: str) -> None:
    ratings = write(tmp_path / "All_Beauty.csv", f"{header}u,P2,5.0,1588687728923\nu,P1,4.0,1588687728000\n")
    dataset = imported(tmp_path, "amazon-2023", ratings, jsonl(tmp_path / "meta.jsonl", *META_2023))
    assert histories(dataset) == {"u": ["P1", "P2"]}


def test_page_code_in_place_of_texts_is_left_out_and_counted(tmp_path: Path) -> None:
    script = "var aPageStart = (new Date()).getTime();\nvar ue_t0=ue_t0||+new Date();"
    metadata = [
        {"asin": "B1", "title": script, "brand": "Acme", "category": ["Home", "Mugs"], "description": ["For tea"]},
        {"asin": "B2", "title": "Ring {Size: 7} <new>", "brand": ".a-box .b{color: red; width: 3px}", "category": []},
        {
            "asin": "B3",
            "title": "Let it be = fine",
            "category": ["Clothing", "Shoes", "100% cotton</span>", "X"],
        },
        {"asin": "B4", "title": "Function keys", "category": ["<div class='x'>", "Y"], "description": ["<P>Old text"]},
        {"asin": "B5", "title": "No.5 Perfume {Scent: Rose}", "brand": "Mr.Coffee {Size: 4}", "category": []},
    ]
    reviews = reviews_2018(*(("u", name, time) for time, name in enumerate(("B1", "B2", "B3", "B4", "B5"))))
    files = jsonl(tmp_path / "r.json", *reviews), jsonl(tmp_path / "m.json", *metadata)
    dataset = imported(tmp_path, "amazon-2018", *files, check=False)
    assert rows(dataset, "title", "description", "brand", "categories") == [
        (None, "For tea", "Acme", ["Home", "Mugs"]),
        ("Ring {Size: 7} <new>", None, None, None),
        ("Let it be = fine", None, None, ["Clothing", "Shoes"]),
        ("Function keys", "<P>Old text", None, None),
        ("No.5 Perfume {Scent: Rose}", None, "Mr.Coffee {Size: 4}", None),
    ]
    for expected in (
        "1 items have a script or a style sheet for their title; left out",
        "1 items have a script or a style sheet for their brand; left out",
        "2 items have markup in their category path; the path ends before it",
    ):
        assert expected in notes(dataset)


@pytest.mark.parametrize(
    ("price", "kept"),
    [
        ("from 14.99", True), ("$.99", True), ("$12.99 - $20.00", True), ("$1,299.00", True), ("—", False),
        ("from", False), ("$", False), (".a-box{color: red}", False),
    ],
)  # fmt: skip
def test_a_price_is_kept_as_it_is_written_and_what_is_not_one_is_counted(
    tmp_path: Path, price: str, kept: bool
) -> None:
    metadata = jsonl(tmp_path / "m.json", {"asin": "B1", "title": "Lamp", "price": price})
    dataset = imported(
        tmp_path, "amazon-2018", jsonl(tmp_path / "r.json", *reviews_2018(("u", "B1", 5), ("v", "B1", 5))), metadata
    )
    (item,) = rows(dataset, "title", *(["price"] if kept else []))
    assert item == (("Lamp", price) if kept else ("Lamp",))
    assert ("1 items have a price that is not valid; left out" in dataset.about.get("notes", [])) is not kept


def test_the_metadata_of_another_category_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reviews = jsonl(tmp_path / "r.json", *reviews_2018(("u", "B1", 5)))
    metadata = jsonl(tmp_path / "m.json", {"asin": "C7", "title": "Lamp"})
    assert main(["import", "amazon-2018", str(reviews), str(metadata), str(tmp_path / "set")]) == 2
    assert f"{metadata}: describes not one of the 1 items with events (e.g. 'B1')" in capsys.readouterr().err


def test_one_category_with_and_without_entities_is_one_label(tmp_path: Path) -> None:
    reviews = jsonl(tmp_path / "Toy_5.json.gz", *reviews_2018(("u", "B1", 1), ("u", "B2", 2)))
    metadata = jsonl(
        tmp_path / "meta_Toy.json.gz",
        {"asin": "B1", "title": "x", "category": ["Electronics", "Camera &amp; Photo"]},
        {"asin": "B2", "title": "y", "category": ["Electronics", "Camera & Photo"]},
    )
    dataset = imported(tmp_path, "amazon-2018", reviews, metadata)
    assert rows(dataset, "categories") == [(["Electronics", "Camera & Photo"],)] * 2


def test_sales_ranks_of_2023_are_no_text(tmp_path: Path) -> None:
    """They name the category, which is the label, and what users bought later."""
    reviews = jsonl(tmp_path / "All.jsonl", {"user_id": "u", "parent_asin": "B1", "timestamp": 1})
    details = {"Brand": "Acme", "Best Sellers Rank": {"Musical Instruments": 5}}
    metadata = jsonl(tmp_path / "meta.jsonl", {"parent_asin": "B1", "title": "Drum", "details": details})
    (found,) = rows(imported(tmp_path, "amazon-2023", reviews, metadata), "details")
    assert "Acme" in str(found) and "Rank" not in str(found)


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_one_part_of_the_split_of_2023_is_refused(
    tmp_path: Path, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reviews = write(tmp_path / f"Toy.{part}.csv", "user_id,parent_asin,rating,timestamp\nu,B1,5,1\n")
    metadata = jsonl(tmp_path / "meta.jsonl", {"parent_asin": "B1", "title": "Drum"})
    assert main(["import", "amazon-2023", str(reviews), str(metadata), str(tmp_path / "set")]) == 2
    assert "is one part of upstream's split" in capsys.readouterr().err
