"""Lists, numbers and settings as words of the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence

from benchmark.errors import UsageError, quoted
from benchmark.seeds import SEEDS

HIGHEST = 1_000_000  # of the numbers that are counts


def words(value: str) -> list[str]:
    """Return the words of 'a,b,c'; raise UsageError for none."""
    found = [word.strip() for word in value.split(",") if word.strip()]
    if not found:
        raise UsageError("an empty list: expected at least one name")
    return found


def whole_numbers(value: str, option: str) -> list[int]:
    """Return the distinct numbers of '0,1,2' in order."""
    try:
        numbers = sorted({int(word) for word in words(value)})
    except ValueError:
        numbers = [-1]
    if not all(number in SEEDS for number in numbers):
        raise UsageError(f"{option} {quoted(value)}: write whole numbers from 0 on (at most {SEEDS[-1]:,}), e.g. 0,1,2")
    return numbers


def number_from(lowest: int, highest: int = HIGHEST) -> Callable[[str], int]:
    """Return a type for argparse: a whole number from `lowest` to `highest`."""

    def number(word: str) -> int:
        try:
            if lowest <= (found := int(word)) <= highest:
                return found
        except ValueError:  # also of a number of more than 4,300 digits
            pass
        raise ArgumentTypeError(f"{quoted(word)}: a whole number from {lowest:,} to {highest:,} is needed")

    return number


def numbers_from(lowest: int, highest: int = HIGHEST) -> Callable[[str], list[int]]:
    """Return a type for argparse: whole numbers from `lowest` to `highest`, '1,2,3'."""
    number = number_from(lowest, highest)
    return lambda text: [number(word.strip()) for word in text.split(",")]


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """Turn ['rqvae.levels=4'] into {'rqvae.levels': '4'}."""
    parsed: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or "." not in key:
            raise UsageError(f"--set {quoted(setting)}: write LABEL.KEY=VALUE, e.g. --set rqvae.levels=4")
        parsed[key.strip()] = value.strip()
    return parsed
