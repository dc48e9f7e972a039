"""HTML from Jinja templates that escape every value: text of a data set, a label or a file never becomes markup.

What may stand as it is says so where it is put in: `| safe` in a template, for our own style, scripts and figures and
for JSON from `script_json`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def fill(template: Path, **values: Any) -> str:
    """Return a template (a file beside which those it includes lie) with these values, each escaped."""
    return _environment(template.parent).get_template(template.name).render(values)


@cache
def _environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
