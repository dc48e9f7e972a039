"""What a time stamp that is a number counts, as far as its size tells, and which number a date is."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime

UNITS = ("in seconds", "in milliseconds", "in microseconds", "in nanoseconds")  # since 1970
CALENDAR = "a date as YYYYMMDD"
SECONDS_FROM, MORE_FROM = 10**8, (10**11, 10**14, 10**17)  # 1973 in each unit
CALENDAR_FROM, CALENDAR_TO = 19_000_101, 21_000_101


def unit_of(number: float) -> str:
    """Return what a number counts: one of UNITS, CALENDAR, or '' for small ones, which may be anything."""
    if number >= SECONDS_FROM:
        return UNITS[bisect_right(MORE_FROM, number)]
    if CALENDAR_FROM <= number < CALENDAR_TO and 1 <= number // 100 % 100 <= 12 and 1 <= number % 100 <= 31:
        return CALENDAR
    return ""


def number_of(day: date, unit: str) -> int | None:
    """Return the time stamp of midnight (UTC) of a day in a unit; None where the unit is not known."""
    if unit == CALENDAR:
        return day.year * 10_000 + day.month * 100 + day.day
    if unit not in UNITS:
        return None
    seconds = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return seconds * int(1000 ** UNITS.index(unit))


def day_of(number: float, unit: str) -> str:
    """Return the day (UTC) of a time stamp as YYYY-MM-DD; the number itself where its unit is not known."""
    if unit == CALENDAR:
        return f"{int(number) // 10_000:04d}-{int(number) // 100 % 100:02d}-{int(number) % 100:02d}"
    if unit not in UNITS:
        return str(number)
    return datetime.fromtimestamp(number / 1000 ** UNITS.index(unit), UTC).date().isoformat()
