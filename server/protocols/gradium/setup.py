"""What a setup message asks for, with the defaults of the protocol; wrong values are told by name."""

import re
from dataclasses import dataclass
from typing import Any, get_args

from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.pipeline.latency import Latency
from dragoman.server import wire
from dragoman.server.failures import BadMessage, Fault, quoted
from dragoman.server.protocols.gradium.formats import input_format, output_format
from dragoman.server.protocols.gradium.messages import Setup

MODELS = ("default", "s2s-translate", "s2s")
_LANGUAGE = re.compile(r"^([a-z]{2,3})(?:[-_][a-z0-9]{2,8})*$", re.IGNORECASE)
_ANY = frozenset({"any", "auto"})
_RANGES = {"temp": (0.0, 1.4), "cfg_coef": (1.0, 4.0), "padding_bonus": (-4.0, 4.0)}
MAX_DELAY = 80
"""Frames of 80 ms."""
_DELAYS = ("delay_in_frames", "delay_in_tokens")


@dataclass(frozen=True, slots=True)
class Asked:
    """What every valid setup says, whatever its socket."""

    client_req_id: str | None
    model_name: str
    close_ws_on_eos: bool


@dataclass(frozen=True, slots=True)
class Request(Asked):
    """A valid setup of speech to speech. `rate_hz` is the output's; languages are lower-case codes without a region."""

    input_format: AudioFormat
    output_format: AudioFormat
    rate_hz: int
    source: str | None
    target: str | None
    voice_id: str | None
    source_times: bool = False
    latency: Latency | None = None


def parse_setup(message: dict[str, Any]) -> Request:
    """Read a setup message. Raises BadMessage naming the field that is wrong."""
    setup, model = read_setup(message, MODELS)
    config = read_config(setup.json_config)
    _check_knobs(config)
    output, rate_hz = output_format(setup.output_format)
    target = language_of(config, "target_language") or language_of(config, "language")
    return Request(
        client_req_id=setup.client_req_id,
        model_name=model,
        input_format=input_format(setup.input_format),
        output_format=output,
        rate_hz=rate_hz,
        source=language_of(config, "source_language"),
        target=target,
        voice_id=setup.voice_id or None,
        close_ws_on_eos=setup.close_ws_on_eos is not False,
        source_times=config.get("source_times") is True,
        latency=latency_of(config),
    )


def read_setup(message: dict[str, Any], models: tuple[str, ...]) -> tuple[Setup, str]:
    """The fields of a setup, and which of `models` it names, the first if none. Raises BadMessage."""
    try:
        setup = wire.convert(message, Setup)
    except wire.WrongKind as error:
        raise BadMessage(f"invalid setup: {error}", Fault.SETUP) from error
    model = setup.model_name or models[0]
    if model not in models:
        raise BadMessage(f"unknown model_name '{quoted(model)}': use one of {', '.join(models)}", Fault.MODEL)
    return setup, model


def read_config(config: dict[str, Any] | str | None) -> dict[str, Any]:
    """`json_config`, which may be JSON within a text. Raises BadMessage."""
    if isinstance(config, str):
        try:
            config = wire.decode(config) if config.strip() else {}
        except wire.NotJson as error:
            raise BadMessage(f"json_config is not JSON: {error}", Fault.SETUP) from error
    if config is None:
        return {}
    if not isinstance(config, dict):
        raise BadMessage("json_config must be a JSON object", Fault.SETUP)
    return config


def _check_knobs(config: dict[str, Any]) -> None:
    """Knobs of the vendor's models: they change nothing here, but a value that cannot be is still told."""
    for name, (low, high) in _RANGES.items():
        number_of(config, name, low, high)
    delay_of(config)
    if not isinstance(config.get("keywords") or {}, dict):
        raise BadMessage("json_config.keywords must be an object", Fault.SETUP)
    if not isinstance(config.get("source_times") or False, bool):
        raise BadMessage("json_config.source_times must be true or false", Fault.SETUP)
    latency_of(config)


def number_of(config: dict[str, Any], name: str, low: float, high: float, fault: Fault = Fault.SETUP) -> float | None:
    """A number of `json_config` within its bounds. Raises BadMessage."""
    value: float | None = config.get(name)
    if value is not None and not (_is_number(value) and low <= value <= high):
        raise BadMessage(f"json_config.{name} must be a number from {low:g} to {high:g}", fault)
    return value


def delay_of(config: dict[str, Any], fault: Fault = Fault.SETUP) -> int | None:
    """The delay of the vendor's models in frames of 80 ms, under either of its names. Raises BadMessage."""
    found: int | None = None
    for name in reversed(_DELAYS):
        value = config.get(name)
        if value is not None and not (isinstance(value, int) and _is_number(value) and 0 <= value <= MAX_DELAY):
            raise BadMessage(f"json_config.{name} must be an integer from 0 to {MAX_DELAY}", fault)
        found = value if value is not None else found
    return found


def latency_of(config: dict[str, Any], fault: Fault = Fault.SETUP) -> Latency | None:
    """An extension: the latency of this request alone. Raises BadMessage."""
    latency: Any = config.get("latency")
    if latency not in (None, *get_args(Latency)):
        raise BadMessage(f"json_config.latency must be one of {', '.join(get_args(Latency))}", fault)
    chosen: Latency | None = latency
    return chosen


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def language_of(config: dict[str, Any], name: str, fault: Fault = Fault.SETUP) -> str | None:
    """A language of `json_config` as a lower-case code without a region; None for none or any. Raises BadMessage."""
    value = config.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not (value in _ANY or _LANGUAGE.match(value)):
        raise BadMessage(f"json_config.{name} must be a language code such as 'es'", fault)
    return None if value in _ANY else re.split("[-_]", value)[0].lower()
