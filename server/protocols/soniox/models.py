"""The vendor's model ids. All mean the engines that are installed here; they differ in what a start may ask for."""

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
        Model("stt-rt-v5", "Speech-to-Text Real-time v5", tunes_endpoints=True),
        Model("stt-rt-v4", "Speech-to-Text Real-time v4"),
        Model("stt-rt-v3", "Speech-to-Text Real-time v3"),
        Model("stt-rt-preview", "Speech-to-Text Real-time Preview", alias_of="stt-rt-v5", tunes_endpoints=True),
    )
}


def find_model(model_id: str | None) -> Model:
    """The model of an id. Raises BadMessage."""
    if model_id is None:
        raise BadMessage("model is missing", Fault.SETUP)
    if model_id not in MODELS:
        raise BadMessage(f"unknown model '{quoted(model_id)}': use one of {', '.join(MODELS)}", Fault.MODEL)
    return MODELS[model_id]
