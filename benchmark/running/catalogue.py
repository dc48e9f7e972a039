"""Codebooks and catalogues: what an indexer may not have more of than there are items, known before anything runs.

A preset's value that is larger than the catalogue becomes one that fits, and a note below the tables says so; a value
that was asked for is refused.
"""

from __future__ import annotations

from dataclasses import replace

from benchmark.config import build_config, flatten
from benchmark.errors import ConfigError
from benchmark.running.cells import Variant
from benchmark.types.method import Indexer


def fitted_to_catalogue(variant: Variant, n_items: int, withheld: int = 0) -> Variant:
    """Return the variant with the settings of its class's `at_most_items` no larger than the number of items.

    Of the items of the data set so many are withheld from learning: they do not count.
    Raises ConfigError for a value that was set, and where no codebook fits.
    """
    if not issubclass(variant.cls, Indexer):
        return variant
    n_items -= withheld
    fitting, without = fitting_size(n_items), f", without the {withheld:,} that are withheld" if withheld else ""
    for key in variant.cls.at_most_items:
        value = flatten(variant.config.model_dump())[key]
        if value <= n_items:
            continue
        where = (
            f"{variant.label}.{key}: {value} is more than the data set's {n_items:,} item{'s' * (n_items > 1)}{without}"
        )
        if fitting > n_items:
            raise ConfigError(f"{where}; IDs need at least {fitting} items")
        if key in variant.chosen:
            raise ConfigError(f"{where}; use --set {variant.label}.{key}={fitting}")
        own = variant.config.model_dump()
        config = build_config(type(variant.config), preset=own, overrides={key: fitting}, owner=variant.label)
        note = f"{key} is {fitting} instead of the preset's {value}: the data set has only {n_items:,} items{without}."
        variant = replace(variant, config=config, trials=None, notes=(*variant.notes, note))
    return variant


def fitting_size(n_items: int) -> int:
    """Return the largest power of two that is at most half the items, but 2 at least: codes that items can share."""
    return max(2, 1 << (max(2, n_items // 2).bit_length() - 1))
