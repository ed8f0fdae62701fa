"""What a setup of `speech/tts` asks for. What cannot be is told with a code on which no client tries again."""

import re
from dataclasses import dataclass
from typing import Any

from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.server.failures import BadMessage, Fault
from dragoman.server.protocols.gradium.formats import output_format
from dragoman.server.protocols.gradium.setup import Asked, language_of, number_of, read_config, read_setup

MODELS = ("default",)
_PINNED = re.compile(r"gradium-tts-[a-z0-9-]{1,32}")
"""Names that pin one of the vendor's models; there is one model here."""
_UNNAMED = ("", "default")
_FASTER_BY_2 = 1.3
"""How much faster a `padding_bonus` of -2 is, and how much slower one of 2."""


@dataclass(frozen=True, slots=True)
class TtsRequest(Asked):
    """A valid setup. `language` is what the client says of it, if anything; the voice decides. `tempo` is a factor."""

    output_format: AudioFormat
    rate_hz: int
    voice: str | None
    language: str | None
    tempo: float


def parse_tts_setup(message: dict[str, Any]) -> TtsRequest:
    """Read a setup message. Raises BadMessage naming the field that is wrong."""
    name = message.get("model_name")
    known = (name,) if isinstance(name, str) and _PINNED.fullmatch(name) else ()
    setup, model = read_setup(message, (*MODELS, *known))
    config = read_config(setup.json_config)
    number_of(config, "temp", 0.0, 1.4, Fault.MODEL)
    number_of(config, "cfg_coef", 1.0, 4.0, Fault.MODEL)
    padding = number_of(config, "padding_bonus", -4.0, 4.0, Fault.MODEL) or 0.0
    output, rate_hz = output_format(setup.output_format)
    names = (setup.voice_id, setup.voice)
    return TtsRequest(
        client_req_id=setup.client_req_id,
        model_name=model,
        close_ws_on_eos=setup.close_ws_on_eos is not False,
        output_format=output,
        rate_hz=rate_hz,
        voice=next((one for one in names if one is not None and one not in _UNNAMED), None),
        language=language_of(config, "language", Fault.MODEL) or _rules_language(config.get("rewrite_rules")),
        tempo=_FASTER_BY_2 ** (-padding / 2),
    )


def _rules_language(rules: object) -> str | None:
    """The language whose rules are to be used, where it is named alone. Rules themselves have no effect here."""
    if rules is not None and not isinstance(rules, str):
        raise BadMessage("json_config.rewrite_rules must be text", Fault.MODEL)
    try:
        return language_of({"rewrite_rules": rules or None}, "rewrite_rules")
    except BadMessage:
        return None
