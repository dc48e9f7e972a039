"""Which rows of a table may be tested against each other: those of the same conditions.

A difference between two rows says something of their methods only where all else is the same: the preset, what `--set`
changed in the generative part, the rule for items that a user already has, CPU or GPU, and the version of the suite's
code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from benchmark.reports.tables.captions import stages_of
from benchmark.reports.tables.changes import GENERATIVE, changed_settings
from benchmark.reports.tables.histories import history_rule
from benchmark.reports.tables.labels import letter, short_value
from benchmark.results.result_files import Result

ASPECTS = ("preset", "generative settings", "history rule", "device", "code")
OLDER = "an older version"
APART = "Rows of different groups are not tested against each other, and bold is the best of its group"


@dataclass(frozen=True)
class Conditions:
    """The group of each row, A, B, ..; '' for all where there is one group only. And the note that names the groups."""

    groups: tuple[str, ...]
    note: str = ""


def conditions(task: str, labels: Sequence[str], rows: Sequence[Sequence[Result]]) -> Conditions:
    """Group the rows of a task's table by their conditions.

    A row that an aspect does not concern, or that did not record it, goes with most of the others.
    """
    if not task:
        return Conditions(("",) * len(rows))
    aspects = {name: _filled([_aspect(name, task, row) for row in rows]) for name in ASPECTS}
    differing = {name: values for name, values in aspects.items() if len(set(values)) > 1}
    keys = list(zip(*differing.values(), strict=True)) if differing else [()] * len(rows)
    letters = {key: letter(number, ascii_uppercase) for number, key in enumerate(dict.fromkeys(keys))}
    if len(letters) < 2:
        return Conditions(("",) * len(rows))
    groups = tuple(letters[key] for key in keys)
    described = [
        f"{letter} ({', '.join(f'{name} {value}' for name, value in zip(differing, key, strict=True))}): "
        f"{', '.join(label for label, group in zip(labels, groups, strict=True) if group == letter)}"
        for key, letter in letters.items()
    ]
    return Conditions(groups, f"{APART}: {'; '.join(described)}.")


def differences(task: str, a: Sequence[Result], b: Sequence[Result]) -> list[str]:
    """Return in which conditions two rows differ: 'history rule (zero, keep)'."""
    pairs = [(name, _aspect(name, task, a), _aspect(name, task, b)) for name in ASPECTS]
    return [f"{name} ({x}, {y})" for name, x, y in pairs if None not in (x, y) and x != y]


def meaning(preset: str) -> str:
    """Return the name under which presets of one meaning go: `published`, as `paper`, has the settings of a source."""
    return "paper" if preset == "published" else preset


def _aspect(name: str, task: str, row: Sequence[Result]) -> str | None:
    """Return one condition of a row in words; None where the row has no such thing."""
    first = row[0]
    match name:
        case "preset":
            return meaning(first.preset)
        case "generative settings":
            if not first.config.get("generative"):
                return None
            changed = {k.removeprefix(GENERATIVE): v for k, v in changed_settings(first, [task]).items()
                       if k.startswith(GENERATIVE) and k != f"{GENERATIVE}history"}  # fmt: skip
            return ", ".join(f"{key}={short_value(changed[key])}" for key in sorted(changed)) or "of the preset"
        case "history rule":
            return history_rule(first) if task == "recommendation" else None
        case "device":
            devices = [str(stage["device"]) for r in row for stage in stages_of(r, [task]) if stage.get("device")]
            return ("CPU" if all(device.startswith("cpu") for device in devices) else "GPU") if devices else None
        case _:
            return " and ".join(sorted({result.code[:8] or OLDER for result in row}))


def _filled(values: Sequence[str | None]) -> list[str]:
    """Return the values with the most common one in place of None."""
    known = Counter(value for value in values if value is not None)
    most = known.most_common(1)[0][0] if known else ""
    return [most if value is None else value for value in values]
