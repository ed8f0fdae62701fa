"""Kinds of values that tasks are made of, and the way from what is wrong to a line that names every field."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticOmit

from dragoman.server.protocols.palabra.languages import AUTO, base_of
from dragoman.server.wire import MAX_ID

MAX_ENTRIES = 128
"""Entries of one list."""
MAX_DEPTH = 32
"""Objects and lists within each other."""

_MOST = 10
"""More faults than this are not told, and where there are so many, no more are looked for."""


class BadTask(ValueError):
    """A task, or the fields of another command, cannot be; the message names each wrong field by its path."""


class Table(BaseModel):
    """An object of the wire. Unknown keys are ignored; null counts as absent, except where it means something."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    null_means: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: item for key, item in value.items() if item is not None or key in cls.null_means}


class Kept(Table):
    """A part of a task. Fields without a meaning here are not looked at: they are kept as they came and told back."""

    model_config = ConfigDict(extra="allow")


def too_deep(value: object, left: int = MAX_DEPTH) -> bool:
    """Whether lists and objects stand within each other more often than a task is read and told back."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is not None and (not left or any(too_deep(item, left - 1) for item in inner))


def number(low: float = -math.inf, high: float = math.inf) -> Any:
    """A number from `low` to `high`, kept as the client wrote it."""
    bounds = [
        *([f"from {low:g}"] if low > -math.inf else []),
        *([f"{'' if low > -math.inf else 'up '}to {high:g}"] if high < math.inf else []),
    ]
    wanted = " ".join(["must be a number", *bounds])

    def check(value: object) -> object:
        try:
            good = isinstance(value, int | float) and not isinstance(value, bool) and low <= float(value) <= high
        except OverflowError:
            good = False
        if not good or not math.isfinite(float(value)):  # type: ignore[arg-type]
            raise ValueError(wanted)
        return value

    return PlainValidator(check)


def _known(code: str) -> str:
    if base_of(code) is None:
        raise ValueError("is not a supported language")
    return code


def _known_source(code: str) -> str:
    return code if code.lower() == AUTO else _known(code)


def at_most(count: int) -> BeforeValidator:
    """For lists and objects of which nothing is to be read where they have more entries than this."""

    def check(value: object) -> object:
        if isinstance(value, dict | list) and len(value) > count:
            raise ValueError(f"must have at most {count} entries")
        return value

    return BeforeValidator(check)


@dataclass(slots=True)
class Found:
    """How many faults were found in repeated objects so far: the context in which their table is read."""

    faults: int = 0


def _sparing(value: object, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
    found: Found = info.context  # type: ignore[assignment]
    if found.faults > _MOST:
        raise PydanticOmit
    try:
        return read(value)
    except ValidationError as error:
        found.faults += error.error_count()
        raise


SPARING = WrapValidator(_sparing)
"""For repeated objects: those behind many faults are not looked at."""

Number = Annotated[float, number()]
Language = Annotated[str, AfterValidator(_known)]
SourceLanguage = Annotated[str, AfterValidator(_known_source)]
Languages = Annotated[list[Language], Field(fail_fast=True, max_length=MAX_ENTRIES)]
Name = Annotated[str, Field(max_length=MAX_ID)]
Names = Annotated[list[Name], Field(fail_fast=True, max_length=MAX_ENTRIES)]
DEFAULT_LOW, DEFAULT_HIGH = "default_low", "default_high"
"""The vendor's names for a low and a high voice of whatever language is spoken."""

SLOWEST, FASTEST = 0.5, 2.0
"""Factors on the speaking rate that the voices here can do."""
Speed = Annotated[float, number(0.0, FASTEST)]
"""Packaged clients send 0.0 to 2.0. LiveKit's takes 0.5 for the natural rate, the others 1.0: here it is a factor."""


def tempo_of(speed: float | None) -> float:
    """What a `speed` comes to, as a factor on the speaking rate."""
    return 1.0 if speed is None else max(SLOWEST, float(speed))


def explain(error: ValidationError) -> str:
    """One line with each wrong field and what is wrong with it; nothing of the client's own text comes back in it."""
    return listed([(path_of(fault["loc"]), _plain(fault["msg"])) for fault in error.errors(include_input=False)])


def listed(faults: list[tuple[str, str]]) -> str:
    """Paths and what is wrong there, as one line."""
    lines = [f"{path}: {text}" if path else text for path, text in faults[:_MOST]]
    return "; ".join([*lines, *(["and more"] if len(faults) > _MOST else [])])


def path_of(place: tuple[int | str, ...]) -> str:
    """`pipeline.translations[0].target_language`."""
    path = ""
    for step in place:
        path += f"[{step}]" if isinstance(step, int) else f".{step[:64]}" if path else step[:64]
    return path


def _plain(message: str) -> str:
    text = message.removeprefix("Value error, ").replace("Field required", "is required")
    text = "must be an object" if "valid dictionary" in text else text.replace("Input should be", "must be")
    return text[:1].lower() + text[1:]
