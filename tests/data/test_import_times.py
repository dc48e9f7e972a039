"""Time stamps in any unit: exact where a float is not, and of one kind in a column."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from foreign import histories, imported, notes, write
from hypothesis import given
from hypothesis import strategies as st

from benchmark.cli.main import main
from benchmark.data.interactions import Interactions
from benchmark.datasets.times import TimeColumn
from benchmark.errors import DataError

NANO = 1_706_745_600_000_000_000  # 2024-02-01T00:00:00 in nanoseconds: neighbours are one float64 apart from 256 on


def shop(tmp_path: Path, *events: tuple[str, str, object]) -> list[str | Path]:
    """Write a table of items and one of events; return the command that imports them."""
    items = write(tmp_path / "items.csv", "id,title\n" + "".join(f"{item},{item}\n" for item in "abcd"))
    lines = "".join(f"{user},{item},{time}\n" for user, item, time in events)
    return ["table", items, "--events", write(tmp_path / "events.csv", "user,item,time\n" + lines)]


@pytest.mark.parametrize(
    "times",
    [
        (NANO + 3, NANO + 1, NANO + 2),
        ("2024-02-01T00:00:00.000000003", "2024-02-01T00:00:00.000000001", "2024-02-01T00:00:00.000000002"),
        ("20240201T000000.000000003", "20240201T000000.000000001", "20240201T000000.000000002"),
        (1_706_745_600_000_003, 1_706_745_600_000_001, 1_706_745_600_000_002),
        (1_706_745_600_003, 1_706_745_600_001, 1_706_745_600_002),
        ("1706745600.0000003", "1706745600.0000001", "1706745600.0000002"),
    ],
    ids=[
        "nanoseconds",
        "dates with nanoseconds",
        "compact dates with nanoseconds",
        "microseconds",
        "milliseconds",
        "fractions of seconds",
    ],
)
def test_events_a_moment_apart_keep_their_order(tmp_path: Path, times: tuple[object, ...]) -> None:
    dataset = imported(tmp_path, *shop(tmp_path, *(("u", item, time) for item, time in zip("abc", times, strict=True))))
    assert histories(dataset) == {"u": ["b", "c", "a"]}
    assert dataset.about["facts"]["tied_events"] == 0


def test_parquets_nanoseconds_are_read_exactly(tmp_path: Path) -> None:
    command = shop(tmp_path)
    times = pa.array([NANO + 300, NANO + 100, NANO + 200], pa.timestamp("ns"))
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table({"user": ["u"] * 3, "item": ["a", "b", "c"], "time": times}), path)
    dataset = imported(tmp_path, *command[:-1], path)
    assert histories(dataset) == {"u": ["b", "c", "a"]}
    assert dataset.about["facts"]["tied_events"] == 0


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (("2024-01-31", "1706745600"), "'1706745600' is a number, but that of {path}:2 is an ISO date"),
        (("1706745600", "2024-01-31"), "'2024-01-31' is an ISO date, but that of {path}:2 is a number"),
        (("1706745600", "1706745600000"), "is in milliseconds, but that of {path}:2 is in seconds"),
        ((NANO, NANO // 1000), "is in microseconds, but that of {path}:2 is in nanoseconds"),
        (("1706745600", "20240131"), "'20240131' is a date as YYYYMMDD, but that of {path}:2 is in seconds"),
        (("2024-01-31T10:00", "2024-01-31T10:00Z"), "is with a time zone, but that of {path}:2 is without"),
        (("2024-01-31", "31/01/2024"), "must be a number or an ISO date, not '31/01/2024'"),
        (("5", "1_0"), "must be a number or an ISO date, not '1_0'"),
        (("5", "9" * 30), "must be a finite number below 2^63"),
        (("5", "1e999"), "must be a finite number below 2^63"),
        (("5", ""), "must be a number or an ISO date, not ''"),
    ],
)
def test_two_kinds_of_times_in_a_column_are_refused_with_both_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], times: tuple[object, object], message: str
) -> None:
    form, items, *options = shop(tmp_path, ("u", "a", times[0]), ("u", "b", times[1]))
    assert main(["import", str(form), str(items), str(tmp_path / "set"), *map(str, options)]) == 2
    error = capsys.readouterr().err
    path = tmp_path / "events.csv"
    assert f"{path}:3: " in error and error.count("\n") == 1
    assert message.format(path=path) in error


def test_dates_without_a_time_of_day_beside_others_are_counted(tmp_path: Path) -> None:
    dataset = imported(tmp_path, *shop(tmp_path, ("u", "a", "2024-02-01T10:00:00"), ("u", "b", "2024-02-01")))
    assert histories(dataset) == {"u": ["b", "a"]}
    assert "1 times of time are dates without a time of day; they count as midnight" in notes(dataset)


@given(nanoseconds=st.lists(st.integers(0, 2**62), min_size=2, max_size=6))
def test_a_time_in_any_spelling_sorts_as_the_whole_number_of_its_nanoseconds(nanoseconds: list[int]) -> None:
    def spelled(value: int) -> str:
        whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value // 10**9)
        return f"{whole:%Y-%m-%dT%H:%M:%S}.{value % 10**9:09}Z"

    dates, seconds = TimeColumn(), TimeColumn()
    as_dates = [dates.read(spelled(value), "here") for value in nanoseconds]
    try:
        as_seconds = [seconds.read(f"{value // 10**9}.{value % 10**9:09}", "here") for value in nanoseconds]
    except DataError:  # a moment shortly after 1970 looks like another unit
        as_seconds = as_dates
    places = range(len(nanoseconds))
    assert sorted(places, key=as_dates.__getitem__) == sorted(places, key=nanoseconds.__getitem__)
    assert sorted(places, key=as_seconds.__getitem__) == sorted(places, key=nanoseconds.__getitem__)


def test_events_without_times_have_no_ties_and_no_times_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = write(tmp_path / "items.csv", "id,title\n" + "".join(f"{item},{item}\n" for item in "abc"))
    events = write(tmp_path / "events.csv", "user,item\nu,b\nu,a\nu,c\n")
    dataset = imported(tmp_path, "table", items, "--events", events)
    assert histories(dataset) == {"u": ["b", "a", "c"]} and dataset.times_file is None
    assert "facts" not in dataset.about or "tied_events" not in dataset.about["facts"]
    assert "events.csv has no time: the order of its lines is trusted" in notes(dataset)
    capsys.readouterr()
    command = ["run", "--methods", "popularity", "--dataset", str(dataset.folder), "--runs", str(tmp_path / "runs")]
    assert main([*command, "--ties", "shuffled", "--no-check"]) == 2
    assert "has no times.txt" in capsys.readouterr().err


def test_parts_of_recbole_of_which_one_has_no_times_cannot_be_sorted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = "user_id:token\titem_id:token"
    write(tmp_path / "y" / "y.train.inter", f"{fields}\ttimestamp:float\nu\ta\t5\nu\tb\t6\n")
    write(tmp_path / "y" / "y.test.inter", f"{fields}\nu\tc\n")
    assert main(["import", "recbole", str(tmp_path / "y"), str(tmp_path / "out")]) != 0
    assert "y.train.inter has the field 'timestamp' and y.test.inter has not" in capsys.readouterr().err


def test_interactions_of_which_only_some_have_a_time_are_refused() -> None:
    events = Interactions()
    events.add("u", "a", 5)
    events.add("u", "b", None)
    with pytest.raises(DataError, match="1 of 2 events have no time"):
        events.facts()


@pytest.mark.parametrize("days", [("31122023", "01032024"), ("03012024", "12312023"), ("1022024", "1032024")])
def test_numbers_that_are_dates_with_the_year_last_are_refused(
    tmp_path: Path, days: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    command = shop(tmp_path, *(("u", item, day) for item, day in zip("ab", days, strict=True)))
    assert main(["import", *map(str, command), str(tmp_path / "set")]) == 2
    assert "look like dates with the year last (DDMMYYYY or MMDDYYYY)" in " ".join(capsys.readouterr().err.split())


def test_numbers_of_which_one_is_no_such_date_stay(tmp_path: Path) -> None:
    events = (("u", "a", 31_122_023), ("u", "b", 1_452_024))
    assert histories(imported(tmp_path, *shop(tmp_path, *events))) == {"u": ["b", "a"]}


def test_an_event_that_is_stated_twice_counts_once_and_a_repeat_purchase_stays(tmp_path: Path) -> None:
    """An export that was written twice would make every test item the item before it."""
    events = [("u", "a", 3), ("u", "b", 5), ("v", "a", 3), ("u", "a", 4)]
    dataset = imported(tmp_path, *shop(tmp_path, *(event for event in events for _ in range(2))))
    assert histories(dataset) == {"u": ["a", "a", "b"], "v": ["a"]}
    assert "4 events state user, item and time of an earlier one; left out" in notes(dataset)
    assert "1 events repeat an earlier item of the same user; kept" in notes(dataset)
