"""The file that proposes settings: what `benchmark tune` writes and `benchmark run --preset FILE` reads.

preset = "tiny"                        # what the settings go over
dataset = "demo"                       # where they were chosen; so is all that is not a setting

[methods.sasrec]                       # a label of the run, or a method
method = "sasrec"
trials = 20                            # the column `trials` of the cost table
objective = "nDCG@10"
score = 0.1234

[methods.sasrec.settings]              # as with --set
dropout = 0.3
"training.learning_rate" = 0.001
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmark.config import PRESETS, flatten
from benchmark.data.writing import toml
from benchmark.errors import UsageError, did_you_mean
from benchmark.files import write_text

SUFFIX = ".toml"


class ChosenSettings(BaseModel):
    """The settings of one method, and after how many trials they were chosen."""

    model_config = ConfigDict(extra="allow", frozen=True)

    method: str
    trials: int | None = Field(None, ge=0)
    settings: dict[str, Any] = {}


class Proposal(BaseModel):
    """A preset with settings over it, for some methods."""

    model_config = ConfigDict(extra="allow", frozen=True)

    preset: str
    methods: dict[str, ChosenSettings]

    def section(self, label: str, method: str) -> ChosenSettings | None:
        """Return what the file says of a row: under its label, or else under its method."""
        named = (self.methods.get(name) for name in (label, method))
        return next((chosen for chosen in named if chosen is not None and chosen.method == method), None)


def is_proposal(preset: str | None) -> bool:
    """True for the path of a file, where a preset's name may stand too."""
    return preset is not None and preset.endswith(SUFFIX)


def read_proposal(path: Path) -> Proposal:
    """Read a file. Raises UsageError that says what is wrong with it."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        for chosen in content.get("methods", {}).values():
            chosen["settings"] = flatten(chosen.get("settings", {}))
        found = Proposal.model_validate(content)
    except OSError as error:
        raise UsageError(f"--preset {path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise UsageError(f"--preset {path}: {place}: {problem['msg']}; `benchmark tune` writes such files") from None
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise UsageError(f"--preset {path}: not a preset file: {error}") from None
    if found.preset not in PRESETS:
        raise UsageError(f"--preset {path}: unknown preset '{found.preset}'.{did_you_mean(found.preset, PRESETS)}")
    return found


def write_proposal(path: Path, facts: Mapping[str, Any], methods: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a file: what holds for all of it, and label -> its method, trials, settings and other facts."""
    lines = [
        "# Settings chosen by `benchmark tune` on validation items of leave-one-out or development judgments, never on",
        "# their test part. With another split, or with ties shuffled, test items may be among the former.",
        f"# To use them: benchmark run --preset THIS-FILE --methods {','.join(methods)} --dataset NAME",
        *_pairs(facts),
    ]
    for label, chosen in methods.items():
        section = f"methods.{_key(label)}"
        lines += ["", f"[{section}]", *_pairs({key: v for key, v in chosen.items() if key != "settings"})]
        lines += ["", f"[{section}.settings]", *_pairs(chosen["settings"])]
    write_text(path, "\n".join(lines) + "\n")


def _pairs(values: Mapping[str, Any]) -> list[str]:
    """Return lines of TOML. None is left out."""
    return [f"{_key(key)} = {toml(value)}" for key, value in values.items() if value is not None]


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else toml(name)
