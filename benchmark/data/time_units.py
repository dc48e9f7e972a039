"""What a time stamp that is a number counts, as far as its size tells, and which number a date is."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime

UNITS = ("in seconds", "in milliseconds", "in microseconds", "in nanoseconds")  # since 1970
CALENDAR = {  # numbers that are read digit by digit, and what one day counts in them
    "a date as YYYYMMDD": 1, "a time as YYYYMMDDhhmm": 10**4, "a time as YYYYMMDDhhmmss": 10**6
}  # fmt: skip
SECONDS_FROM, MORE_FROM = 10**8, (10**11, 10**14, 10**17)  # 1973 in each unit
CALENDAR_FROM, CALENDAR_TO = 19_000_101, 21_000_101


def unit_of(number: float) -> str:
    """Return what a number counts: one of UNITS or of CALENDAR, or '' for small ones, which may be anything.

    Times as YYYYMMDDhhmm would be milliseconds in 1976, those with seconds in the 27th century: neither is meant.
    """
    for unit, of_a_day in CALENDAR.items():
        if _is_calendar(number, of_a_day):
            return unit
    return UNITS[bisect_right(MORE_FROM, number)] if number >= SECONDS_FROM else ""


def _is_calendar(number: float, of_a_day: int) -> bool:
    if not CALENDAR_FROM * of_a_day <= number < CALENDAR_TO * of_a_day:
        return False
    day, time = divmod(int(number), of_a_day)
    parts = [time // 10**place % 100 for place in range(0, len(str(of_a_day)) - 1, 2)]  # seconds, minutes, hours
    return (
        1 <= day // 100 % 100 <= 12 and 1 <= day % 100 <= 31
        and all(part < 60 for part in parts) and (not parts or parts[-1] < 24)
    )  # fmt: skip


def number_of(day: date, unit: str) -> int | None:
    """Return the time stamp of midnight (UTC) of a day in a unit; None where the unit is not known."""
    if unit in CALENDAR:
        return (day.year * 10_000 + day.month * 100 + day.day) * CALENDAR[unit]
    if unit not in UNITS:
        return None
    seconds = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return seconds * int(1000 ** UNITS.index(unit))


def day_of(number: float, unit: str) -> str:
    """Return the day (UTC) of a time stamp as YYYY-MM-DD; the number itself where its unit is not known."""
    if unit in CALENDAR:
        day = int(number) // CALENDAR[unit]
        return f"{day // 10_000:04d}-{day // 100 % 100:02d}-{day % 100:02d}"
    if unit not in UNITS:
        return str(number)
    return datetime.fromtimestamp(number / 1000 ** UNITS.index(unit), UTC).date().isoformat()
