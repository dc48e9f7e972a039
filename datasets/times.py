"""Time stamps of other people's files: one column of numbers (in any one unit) or of ISO dates, read exactly.

Nanoseconds since 1970 have 19 digits, more than a float64 holds, so a time is an int64 and a fraction below 1. A column
that mixes numbers with dates, seconds with milliseconds, or dates with and without a time zone has no order that could
be trusted: it is refused with both lines. So are numbers that are dates with the day or the month first (31122023).
Dates without a time zone are UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_FLOOR, Decimal

from benchmark.data.time_units import unit_of
from benchmark.errors import DataError

Time = tuple[int, float]  # whole units, and what comes on top: 0 <= fraction < 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION = re.compile(r"(.*\d:?\d\d)[.,](\d+)(.*)", re.ASCII)


class TimeColumn:
    """Reads the times of one column, which must all be of one kind."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[str, str]] = {}  # what is asked -> its answer for the first time, and that place
        self._days = self._moments = 0
        self._year_last = self._other = False  # numbers that read as DDMMYYYY or MMDDYYYY, and others

    def read(self, value: object, place: str) -> Time:
        """Return a time that sorts. Raises DataError for what is no time, or one of another kind than before."""
        if isinstance(value, datetime | date):
            value = value.isoformat()
        number = value if type(value) is int else _number(str(value))
        if number is None:
            time = self._date(str(value).strip(), place)
            self._same("kind", "an ISO date", value, place)
            return time
        self._same("kind", "a number", value, place)
        if not -(2**63) < number < 2**63:
            raise DataError(f"{place}: a time must be a finite number below 2^63, not {str(value)[:40]}")
        if unit := unit_of(number):
            self._same("unit", unit, value, place)
        self._other |= not (year_last := _is_year_last(number))
        self._year_last |= year_last
        if isinstance(number, int):
            return number, 0.0
        exact = Decimal(str(value))
        whole = int(exact.to_integral_value(ROUND_FLOOR))
        return whole, float(exact - whole)

    def notes(self, name: str) -> list[str]:
        """Return what is worth knowing about the column of this name.

        Raises DataError where all its numbers are dates with the year last: they do not sort.
        """
        if self._year_last and not self._other:
            raise DataError(
                f"the times of {name} look like dates with the year last (DDMMYYYY or MMDDYYYY), which do not sort; "
                "write them as YYYY-MM-DD"
            )
        if not (self._days and self._moments):
            return []
        return [f"{self._days:,} times of {name} are dates without a time of day; they count as midnight"]

    def _date(self, text: str, place: str) -> Time:
        """Return seconds since 1970, with every digit of their fraction."""
        fraction = _FRACTION.fullmatch(text)
        try:
            moment = datetime.fromisoformat(fraction[1] + fraction[3] if fraction else text)
        except ValueError:
            raise DataError(f"{place}: a time must be a number or an ISO date, not {text[:40]!r}") from None
        if ":" in text or "T" in text:
            self._moments += 1
            self._same("zone", "without a time zone" if moment.tzinfo is None else "with a time zone", text, place)
        else:
            self._days += 1
        since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
        return since.days * 86_400 + since.seconds, float(f"0.{fraction[2]}") if fraction else 0.0

    def _same(self, question: str, answer: str, value: object, place: str) -> None:
        first, where = self._first.setdefault(question, (answer, place))
        if first != answer:
            shown = repr(str(value).strip()[:40])
            raise DataError(
                f"{place}: the time {shown} is {answer}, but that of {where} is {first}; make them one kind"
            )


def _is_year_last(number: float) -> bool:
    day, rest = divmod(number, 1_000_000)
    month, year = divmod(rest, 10_000)
    return 1 <= min(day, month) <= 12 and max(day, month) <= 31 and 1970 <= year < 2100 and number == int(number)


def _number(text: str) -> float | None:
    if "_" in text:  # Python's own way to group digits, no one else's
        return None
    try:
        return float(text)
    except ValueError:
        return None
