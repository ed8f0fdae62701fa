"""The vendor's model ids. All mean the engines that are installed here; they differ in what a start may ask for.

A real-time id newer than those known here is taken, too: clients follow the vendor's newest one before a server does.
"""

import re
from dataclasses import dataclass

from dragoman.server.failures import BadMessage, Fault, quoted


@dataclass(frozen=True, slots=True)
class Model:
    """One id. `tunes_endpoints`: `endpoint_sensitivity` and `endpoint_latency_adjustment_level` are taken."""

    model_id: str
    name: str
    alias_of: str | None = None
    tunes_endpoints: bool = False


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


NEWEST = 6
"""The version that is listed first."""

_VERSION = re.compile(r"stt-rt-v([1-9][0-9]{0,3})")


def find_model(model_id: str | None) -> Model:
    """The model of an id. Raises BadMessage."""
    if model_id is None:
        raise BadMessage("model is missing", Fault.SETUP)
    if (version := _VERSION.fullmatch(model_id)) and int(version[1]) > NEWEST:
        return Model(model_id, f"Speech-to-Text Real-time v{version[1]}", tunes_endpoints=True)
    if model_id not in MODELS:
        raise BadMessage(f"unknown model '{quoted(model_id)}': use one of {', '.join(MODELS)}", Fault.MODEL)
    return MODELS[model_id]
