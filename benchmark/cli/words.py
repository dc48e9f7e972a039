"""Lists on the command line."""

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
