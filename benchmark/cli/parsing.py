"""Lists and settings as words of the command line."""

from collections.abc import Sequence

from benchmark.errors import UsageError


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
    if numbers[0] < 0:
        raise UsageError(f"{option} {value}: write whole numbers from 0 on, e.g. 0,1,2")
    return numbers


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """Turn ['rqvae.levels=4'] into {'rqvae.levels': '4'}."""
    parsed: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or "." not in key:
            raise UsageError(f"--set {setting}: write LABEL.KEY=VALUE, e.g. --set rqvae.levels=4")
        parsed[key.strip()] = value.strip()
    return parsed
