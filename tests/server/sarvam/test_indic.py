"""From the client's message to the answer, with an engine that hears Hindi as a pulled one does."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import Hypothesis, RecognitionRequest
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session, SessionRequest
from dragoman.server.commands import Expect, Feed, FlushInput, Open, Send
from dragoman.server.protocols.sarvam.adapter import SarvamAdapter
from dragoman.server.protocols.sarvam.query import TRANSCRIPTION, TRANSLATION, Wire, parse_query
from tests.fakes.engines import FakeDetector, FakeRecognizer, s16, silence, tone

UTTERANCES = [
    Hypothesis("मेरा फ़ोन नंबर 42 है।", "hi", language_confidence=0.97, english="My phone number is 42."),
    Hypothesis("Thank you.", "en", language_confidence=0.71),
    Hypothesis("धन्यवाद", "hi", language_confidence=0.9, english="Thanks."),
]


async def answers(
    wire: Wire, prompts: tuple[str, ...] = (), **query: str
) -> tuple[list[dict[str, Any]], FakeRecognizer]:
    """What a client is told that says three utterances, with a prompt before each but the first."""
    spoken = iter(UTTERANCES)

    def hear(request: RecognitionRequest) -> Hypothesis:
        found = next(spoken)
        if request.language is not None:
            found = Hypothesis(found.text, request.language, english=found.english or found.text)
        return found

    recognizer = FakeRecognizer(hear, languages=("en", "hi"), to_english=("hi",))
    engines = Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[recognizer],
        translators=[],
        synthesizers=[],
        catalogue=VoiceCatalogue([]),
    )
    settings, offload = load_settings(), Offload()
    adapter = SarvamAdapter(parse_query({**query, "input_audio_codec": "pcm_s16le"}, wire, settings.listen))
    said: list[Send] = []
    session: Session | None = None

    def emit(event: Any) -> None:
        said.extend(output for output in adapter.event(0, event) if isinstance(output, Send))

    speech = base64.b64encode(s16(np.concatenate([tone(1.0), silence(1.0)]))).decode()
    messages: list[Any] = []
    for prompt in ("", *prompts, *[""] * (2 - len(prompts))):
        messages += [{"type": "config", "prompt": prompt}] if prompt else []
        messages.append({"audio": {"data": speech}})
    try:
        for message in [*messages, {"type": "flush"}]:
            for command in adapter.receive(adapter.parse(json.dumps(message))):
                if isinstance(command, Open):
                    plan = engines.plan(
                        source=command.source,
                        targets=command.targets,
                        keywords=command.keywords,
                        locks_language=command.locks_language,
                    )
                    request = SessionRequest(
                        command.input_format, None, plan, latency=command.latency, listen=command.listen
                    )
                    session = Session(request, engines, settings, offload, session_id="s", emit=emit)
                    continue
                assert session is not None
                if isinstance(command, Feed):
                    await session.feed(command.data)
                elif isinstance(command, Expect):
                    await session.expect(command.keywords)
                elif isinstance(command, FlushInput):
                    await session.flush(command.flush_id)
        assert session is not None
        await session.end()
        await session.run()
    finally:
        offload.close()
        engines.close()
    return [json.loads(output.data)["data"] for output in said], recognizer


async def test_hindi_becomes_english_and_english_stays() -> None:
    told, _ = await answers(TRANSLATION)
    assert [data["transcript"] for data in told] == ["My phone number is 42.", "Thank you.", "Thanks."]
    assert [data["language_code"] for data in told] == ["hi-IN", "en-IN", "hi-IN"], "each for itself, none is locked"
    assert [data["language_probability"] for data in told] == [0.97, 0.71, 0.9]


@pytest.mark.parametrize(
    ("mode", "first"),
    [
        ("transcribe", "मेरा फ़ोन नंबर 42 है।"),
        ("codemix", "मेरा फ़ोन नंबर 42 है।"),
        ("verbatim", "मेरा फ़ोन नंबर 42 है।"),
        ("translit", "mera fon nambar 42 hai."),
        ("translate", "My phone number is 42."),
    ],
)
async def test_modes(mode: str, first: str) -> None:
    told, recognizer = await answers(TRANSCRIPTION, mode=mode, **{"language-code": "hi-IN"})
    assert told[0]["transcript"] == first
    assert {data["language_code"] for data in told} == {"hi-IN"}
    assert {data["language_probability"] for data in told} == {None}
    assert {request.language for request in recognizer.requests} == {"hi"}
    assert {bool(request.english_for) for request in recognizer.requests} == {mode == "translate"}


async def test_prompts_and_key_terms_reach_the_recogniser_utterance_by_utterance() -> None:
    _, recognizer = await answers(TRANSCRIPTION, ("Delhi, Agra", "Mysuru"), keyterms='["Sarvam"]')
    assert [request.keywords for request in recognizer.requests] == [
        ("Sarvam",),
        ("Sarvam", "Delhi", "Agra"),
        ("Sarvam", "Mysuru"),
    ]
