"""Typed configuration: one pydantic model per method, presets in a TOML file beside it, overrides by dotted key.

Order: the model's defaults, then the preset, then every `--set`. Unknown keys are refused with the nearest name.
"""

import json
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from benchmark.errors import ConfigError, did_you_mean, quoted, require

SIZES = ("tiny", "small", "base", "paper")  # a method that does not define one of these has its defaults there
TRIALS = "trials"  # in a preset: its tuning budget, no setting of the method
TUNE = "tune"  # beside the presets: what `benchmark tune` tries (see `benchmark.tuning.space`)
ON = "on"  # in a preset: what it says otherwise on some data sets, [[paper.on]] datasets = ["nq320k"]
PRESETS = (*SIZES, "published", "tuned")  # the last two: only methods that define them have them
LIMIT = 1_000_000  # of a number whose field states no bound on that side
DEEPEST = 16  # sections of a key


class MethodConfig(BaseModel):
    """Base of every configuration: frozen, no unknown keys, and every number has a bound on both sides.

    A number lies within `LIMIT` of 0 unless its field says otherwise: `Field(1000, ge=1, le=10**8)`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="after")
    @classmethod
    def _within_limit(cls, value: Any, info: ValidationInfo) -> Any:
        bounds = cls.model_fields[info.field_name or ""].metadata
        above = any(hasattr(bound, name) for bound in bounds for name in ("le", "lt"))
        below = any(hasattr(bound, name) for bound in bounds for name in ("ge", "gt"))
        for number in _numbers(value):
            if not above and number > LIMIT:
                raise PydanticCustomError("too_large", "Input should be at most {limit}", {"limit": LIMIT})
            if not below and number < -LIMIT:
                raise PydanticCustomError("too_small", "Input should be at least {limit}", {"limit": -LIMIT})
        return value


class IndexerConfig(MethodConfig):
    """Base of an indexer's configuration: what becomes of items that get the same codes."""

    unique_by: Literal["counter", "nearest", "sinkhorn"] = Field(
        "counter",
        description="items with equal codes: told apart by a counter behind them, or moved to free codes of the last "
        "position, each to the nearest one or all together (benchmark/learning/unique_ids.py)",
    )


def _numbers(value: Any) -> Iterator[int | float]:
    """Yield the numbers of a value, also those inside its lists and dicts."""
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, Mapping):
        yield from _numbers(list(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _numbers(part)


class EncoderConfig(MethodConfig):
    """A text encoder: a sentence-transformers or transformers model by hub name or local path.

    `default` is the packaged all-MiniLM-L6-v2 (no network), `static` the mean of its token embeddings. A bare string
    stands for `name`.
    """

    name: str = "default"
    pooling: str = "default"  # default (the model's own), mean, cls
    max_length: int = Field(256, ge=1, le=100_000, description="tokens; the paper's rq-VAE and HC embeddings read 256")
    normalize: bool = True  # scale embeddings to unit length
    simcse_epochs: int = Field(
        0, ge=0, description="above 0: in-domain SimCSE training on the corpus first (Table 1's second variant)"
    )
    simcse_batch: int = Field(64, ge=2, le=100_000)  # an in-batch loss compares at least two texts
    simcse_learning_rate: float = Field(3e-5, gt=0, le=100)
    simcse_temperature: float = Field(0.05, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class TrainingConfig(MethodConfig):
    """AdamW with a linear, cosine, inverse square root or constant schedule (see `benchmark.learning.training`)."""

    steps: int = Field(1000, ge=1, le=100_000_000)
    epochs: float = Field(0.0, ge=0, description="passes over the examples, in place of `steps` when above 0")
    batch_size: int = Field(64, ge=1, description="examples per optimiser step, over all devices")
    accumulation: int = Field(1, ge=1, description="micro-batches that one step is cut into, per device")
    learning_rate: float = Field(1e-3, gt=0, le=100)
    schedule: Literal["linear", "cosine", "inverse-sqrt", "constant"] = "linear"
    warmup_ratio: float = Field(0.0, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    clip_norm: float = Field(1.0, gt=0)
    precision: Literal["auto", "no", "bf16", "fp16"] = Field(
        "auto", description="of matrix products: auto is bf16 on a GPU that has it; bf16 is float32 where there is none"
    )
    checkpoint_seconds: float = Field(60.0, ge=0)

    @model_validator(mode="after")
    def _falls_from_its_warmup(self) -> Self:
        falls = self.schedule == "inverse-sqrt"  # by the steps since the start, over those of the warm-up
        require(not falls or self.warmup_ratio > 0, "warmup_ratio", "schedule=inverse-sqrt needs one above 0")
        return self

    def with_steps(self, n_examples: int) -> Self:
        """Return the same settings with `epochs` counted in steps."""
        if not self.epochs:
            return self
        steps = max(1, math.ceil(round(self.epochs * n_examples / self.batch_size, 6)))
        return self.model_copy(update={"steps": steps, "epochs": 0.0})


OwnConfigT = TypeVar("OwnConfigT", bound=MethodConfig)


class Configured(Generic[OwnConfigT]):
    """Something with a typed configuration: `class X(Configured[XConfig])` takes its model from the brackets."""

    Config: ClassVar[type[MethodConfig]] = MethodConfig

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in cls.__dict__.get("__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, MethodConfig):
                    cls.Config = argument

    def __init__(self, config: OwnConfigT | None = None, **settings: Any) -> None:
        """Take a configuration, or settings by name: `ResidualKMeans(levels=3)`, `RQVAE(training={"steps": 100})`.

        Raises ConfigError that names the setting and, for an unknown one, the nearest valid name.
        """
        if config is not None and settings:
            raise ConfigError(f"{type(self).__name__}: a configuration or settings, not both: {', '.join(settings)}")
        if config is None:
            config = build_config(self.Config, preset=settings) if settings else self.Config()  # type: ignore[assignment]
        self.config: OwnConfigT = config  # type: ignore[assignment]


def encoders(config: MethodConfig) -> list[EncoderConfig]:
    """Return the encoders that a method's configuration names."""
    values = [getattr(config, name) for name in type(config).model_fields]
    return [value for value in values if isinstance(value, EncoderConfig)]


ConfigT = TypeVar("ConfigT", bound=BaseModel)


def nested(overrides: Mapping[str, Any], owner: str = "") -> dict[str, Any]:
    """Turn {'encoder.pooling': 'cls'} into {'encoder': {'pooling': 'cls'}}; JSON lists and objects are parsed.

    Raises ConfigError that names the owner and the key for what is not a valid key, or not valid JSON.
    """
    tree: dict[str, Any] = {}
    for key, raw in overrides.items():
        *parents, last = key.split(".")
        if len(parents) > DEEPEST or not all((*parents, last)):
            raise ConfigError(f"{quoted(f'{owner}.{key}')}: not a valid key; write LABEL.KEY or LABEL.SECTION.KEY")
        node = tree
        for parent in parents:
            child = node.setdefault(parent, {})
            if not isinstance(child, dict):
                child = node[parent] = {"name": child}  # encoder=X together with encoder.pooling=Y
            node = child
        value: Any = raw
        if isinstance(raw, str) and raw[:1] in ("[", "{"):
            value = _literal(f"{owner}.{key}".lstrip("."), raw)
        if isinstance(node.get(last), dict) and not isinstance(value, dict):
            node[last]["name"] = value
        else:
            node[last] = value
    return tree


def _literal(key: str, raw: str) -> Any:
    try:
        return json.loads(raw)
    except RecursionError:
        raise ConfigError(f"{key}: too deeply nested: {quoted(raw)}") from None
    except ValueError as error:  # also of a number with too many digits
        raise ConfigError(f"{key}: not valid JSON: {error}") from None


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn {'encoder': {'pooling': 'cls'}} into {'encoder.pooling': 'cls'}; an empty section is left out."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def build_config(
    model: type[ConfigT],
    *,
    preset: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    owner: str = "",
) -> ConfigT:
    """Return the model from its defaults, a preset's values and dotted overrides.

    Raises ConfigError that names the key and, for an unknown one, the nearest valid name.
    """
    try:
        defaults = model().model_dump()
    except ValidationError:  # a plugin's setting without a default: it must be given
        defaults = {}
    values = merge(merge(defaults, dict(preset or {})), nested(overrides or {}, owner))
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_explain(error, model, owner)) from None


def merge(base: dict[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tree `base` with the values of `top` over it; a bare string stands for its section's `name`."""
    merged = dict(base)
    for key, value in top.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, str):
            old = {"name": old}
        if isinstance(value, str) and isinstance(old, Mapping):
            value = {"name": value}
        merged[key] = merge(dict(old), value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _explain(error: ValidationError, model: type[BaseModel], owner: str) -> str:
    lines = []
    for problem in error.errors():
        path = ".".join(str(part) for part in (owner, *problem["loc"]) if part != "")
        if problem["type"] == "extra_forbidden":
            names = _keys_at(model, problem["loc"][:-1])
            lines.append(f"{path}: unknown key.{did_you_mean(str(problem['loc'][-1]), names)}")
        elif problem["type"] == "value_error":  # a validator's own words name what is wrong
            lines.append(f"{path}: {problem['ctx']['error']}")
        else:
            lines.append(f"{path}: {problem['msg']} (got {quoted(problem.get('input'))})")
    return "\n".join(lines)


def _keys_at(model: type[BaseModel], location: Iterable[int | str]) -> list[str]:
    for part in location:
        annotation = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return list(model.model_fields)


def load_presets(source: Path, name: str = "", dataset: str = "") -> dict[str, dict[str, Any]]:
    """Read the presets beside a module, as they are on a data set: `name.toml`, or `presets.toml` in a package.

    {} if there are none. In a file that several methods share, each one's presets stand under its name: [random.tiny].
    """
    return {preset: _on(values, dataset) for preset, values in _read_presets(source, name).items()}


def _on(values: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """Return the settings of a preset with what it says otherwise on one data set."""
    settings = {key: value for key, value in values.items() if key not in (TRIALS, ON)}
    for datasets, own in _exceptions(values):
        if dataset in datasets:
            settings = merge(settings, own)
    return settings


def load_exceptions(source: Path, name: str = "") -> dict[str, list[tuple[tuple[str, ...], dict[str, Any]]]]:
    """Return preset -> (data sets, what it says otherwise on them), for presets that differ by data set."""
    presets = _read_presets(source, name)
    return {preset: _exceptions(values) for preset, values in presets.items() if ON in values}


def _exceptions(values: Mapping[str, Any]) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    return [
        (tuple(own["datasets"]), {key: value for key, value in own.items() if key != "datasets"})
        for own in values.get(ON, ())
    ]


def load_trials(source: Path, name: str = "") -> dict[str, int]:
    """Return the tuning budget of each preset that states one: how many settings were tried to choose it."""
    presets = _read_presets(source, name)
    return {preset: values[TRIALS] for preset, values in presets.items() if TRIALS in values}


def load_search_space(source: Path, name: str = "") -> dict[str, Any]:
    """Read the section [tune] beside the presets, as it stands; {} if there is none."""
    space: dict[str, Any] = _read_file(source, name).get(TUNE, {})
    return space


def _read_presets(source: Path, name: str) -> dict[str, dict[str, Any]]:
    content = _read_file(source, name)
    return {preset: content[preset] for preset in PRESETS if preset in content}


def _read_file(source: Path, name: str) -> dict[str, Any]:
    for path in (source.with_suffix(".toml"), source.parent / "presets.toml"):
        if path.is_file():
            content = tomllib.loads(path.read_text("utf-8"))
            found: dict[str, Any] = content.get(name, content)
            return found
    return {}
