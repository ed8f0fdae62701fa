"""The vendor's model ids. All mean the engines that are installed here; they differ in what a start may ask for.

An id newer than those known here is taken, too: clients follow the vendor's newest one before a server does.
"""

import re
from dataclasses import dataclass

from dragoman.server.failures import BadMessage, Fault, quoted

NEWEST = 6
"""The version that is listed first."""
NEWEST_SPEECH = 2

REAL_TIME = "real_time"
ASYNC = "async"


@dataclass(frozen=True, slots=True)
class Model:
    """One id. `tunes_endpoints`: `endpoint_sensitivity` and `endpoint_latency_adjustment_level` are taken."""

    model_id: str
    name: str
    alias_of: str | None = None
    tunes_endpoints: bool = False
    mode: str = REAL_TIME


MODELS = {
    model.model_id: model
    for model in (
        Model("stt-rt-v6", "Speech-to-Text Real-time v6", tunes_endpoints=True),
        Model("stt-rt-v5", "Speech-to-Text Real-time v5", tunes_endpoints=True),
        Model("stt-rt-v4", "Speech-to-Text Real-time v4"),
        Model("stt-rt-v3", "Speech-to-Text Real-time v3"),
        Model("stt-rt-preview", "Speech-to-Text Real-time Preview", alias_of="stt-rt-v6", tunes_endpoints=True),
    )
}
"""For the socket."""

ASYNC_MODELS = {
    model.model_id: model
    for model in (
        Model("stt-async-v6", "Speech-to-Text Async v6", mode=ASYNC),
        Model("stt-async-v5", "Speech-to-Text Async v5", mode=ASYNC),
        Model("stt-async-v4", "Speech-to-Text Async v4", mode=ASYNC),
        Model("stt-async-v3", "Speech-to-Text Async v3", mode=ASYNC),
        Model("stt-async-preview", "Speech-to-Text Async Preview", alias_of="stt-async-v6", mode=ASYNC),
    )
}
"""For files."""

SPEECH_MODELS = {
    "tts-rt-v2": "Text-to-Speech Real-time v2",
    "tts-rt-v1": "Text-to-Speech Real-time v1",
    "tts-rt-v1-preview": "Text-to-Speech Real-time v1 Preview",
}
"""Ids that speak, and their names."""

_VERSION = re.compile(r"stt-(rt|async)-v([1-9][0-9]{0,3})")
_SPEECH_VERSION = re.compile(r"tts-rt-v([1-9][0-9]{0,3})(-preview)?")


def find_model(model_id: str | None) -> Model:
    """The model of an id on the socket. Raises BadMessage."""
    return _find(model_id, MODELS, "rt")


def find_async_model(model_id: str | None) -> Model:
    """The model of an id for a file. Raises BadMessage."""
    return _find(model_id, ASYNC_MODELS, "async")


def check_speech_model(model_id: str) -> None:
    """Refuse an id that does not speak. Raises BadMessage."""
    newer = _SPEECH_VERSION.fullmatch(model_id)
    if model_id not in SPEECH_MODELS and not (newer and int(newer[1]) > NEWEST_SPEECH):
        raise BadMessage(_unknown(model_id, SPEECH_MODELS), Fault.MODEL)


def _find(model_id: str | None, known: dict[str, Model], kind: str) -> Model:
    if model_id is None:
        raise BadMessage("model is missing", Fault.SETUP)
    if (version := _VERSION.fullmatch(model_id)) and version[1] == kind and int(version[2]) > NEWEST:
        newest = next(iter(known.values()))
        name = newest.name.replace(f"v{NEWEST}", f"v{version[2]}")
        return Model(model_id, name, tunes_endpoints=newest.tunes_endpoints, mode=newest.mode)
    if model_id not in known:
        raise BadMessage(_unknown(model_id, known), Fault.MODEL)
    return known[model_id]


def _unknown(model_id: str, known: dict[str, Model] | dict[str, str]) -> str:
    return f"unknown model '{quoted(model_id)}': use one of {', '.join(known)}"
