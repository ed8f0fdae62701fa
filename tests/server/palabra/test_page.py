"""docs/palabra.md says what is told, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

from dragoman.models import errors as model_errors
from dragoman.pipeline.events import Unspoken
from dragoman.server import failures
from dragoman.server.protocols.palabra import errors, rest, stt, tts_requests
from dragoman.server.protocols.palabra.task import MAX_TARGETS, parse_task
from tests.server.palabra.talk import Talk, audio, error, started, task
from tests.server.palabra.test_task import FULL
from tests.test_docs import NEVER_TOLD, SAMPLES, code_spans, is_rendering, page, rows

PAGE = page("palabra.md")


ELSEWHERE = (
    failures.AuthenticationFailed,
    failures.BadMessage,
    model_errors.UnknownVoice,
    model_errors.VoiceMismatch,
    *NEVER_TOLD,
)
"""Told by the status of the upgrade, in this wire's own words, or as a warning."""


def documented() -> list[tuple[str, str, str]]:
    """Codes, close codes (or nothing) and texts."""
    section = PAGE.split("## Errors")[1]
    found = [cells for cells in rows(section) if len(cells) == 4 and code_spans(cells[0])]
    return [(code_spans(code)[0], close.strip("–"), code_spans(text)[0]) for code, close, text, _ in found]


def told_to_broken_clients() -> Iterator[tuple[str, str, str]]:
    conversations: list[list[Any]] = [
        ["get_task"],
        ["levitate"],
        [("set_task", {})],
        [("set_task", task("tlh"))],
        [("set_task", task()), ("tts_task", {"text": "", "language": "es"})],
        [("set_task", task()), ("tts_task", {"text": "x", "language": "de"})],
        [("set_task", task()), ("interrupt_task", {"languages": ["de"]})],
        [("set_task", task()), ("input_audio_data", {"data": "%"})],
        [("set_task", task()), ("end_task", {"force": 1})],
        [("set_task", task()), ("end_task", {"eos_timeout": 0})],
        [("set_task", task()), "end_task", "pause_task"],
        [("set_task", task(input_stream=None)), ("input_audio_data", audio())],
        [("set_task", task()), *[("tts_task", {"text": "x", "language": "es"})] * 61],
        [("set_task", task(code)) for code in ("es", "fr", "pt", "de", "it")],
    ]
    for steps in conversations:
        talk = Talk()
        for step in steps:
            answer = talk.send(*(step if isinstance(step, tuple) else (step,)))
        code, text = error(answer[-1])
        yield code, "", text
    talk = started()
    (refusal,) = talk._told(talk.adapter.refused(0, "t", model_errors.Overloaded("texts")))
    (large,) = talk.send("get_task", {"novelty": "x" * 70_000})
    for code, text in (error(refusal), error(large)):
        yield code, "", text
    for frame in ("{", "[]", "{}", '{"message_type": "set_task", "data": []}'):
        yield (error(Talk().send_raw(frame)[0])[0], "", error(Talk().send_raw(frame)[0])[1])


def told_about_failures() -> Iterator[tuple[str, str, str]]:
    for sample in SAMPLES:
        if isinstance(sample, ELSEWHERE):
            continue
        talk = started()
        (answer,) = talk.fail(None if isinstance(sample, failures.Failure) else 0, sample)
        yield (*error(answer)[:1], str(talk.closed.code) if talk.closed is not None else "", error(answer)[1])
    talk = started()
    talk.now_s = 10.0
    (answer,) = talk.fail(None, failures.IdleTooLong(0.5))
    assert talk.closed is not None
    yield (*error(answer)[:1], str(talk.closed.code), error(answer)[1])
    refused = model_errors.TextRefused("espeak", "this text ended its process 2 times")
    (answer,) = started().event(0, Unspoken(0, str(refused)))
    yield (*error(answer)[:1], "", error(answer)[1])


def test_every_error_is_documented_and_every_documented_one_is_told() -> None:
    told = [*told_about_failures(), *told_to_broken_clients()]
    table = documented()

    def fits(one: tuple[str, str, str], row: tuple[str, str, str]) -> bool:
        return one[:2] == row[:2] and is_rendering(one[2], row[2])

    assert [one for one in told if not any(fits(one, row) for row in table)] == []
    assert [row for row in table if not any(fits(one, row) for one in told)] == []


def test_every_code_is_documented() -> None:
    names = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, str)}
    assert {code for code, _, _ in documented()} == names - {errors.UNAUTHORIZED}
    of_rest = {value for name, value in vars(rest).items() if re.fullmatch(r"[A-Z_]+", str(value))}
    assert [code for code in of_rest | {errors.UNAUTHORIZED} if f"`{code}`" not in PAGE.split("## REST")[1]] == []


def test_every_field_is_named_or_among_the_rest() -> None:
    parse_task(FULL)
    cells = [cells[0] for cells in rows(PAGE.split("## The task")[1].split("## What is different")[0])]
    named = {part for cell in cells for span in code_spans(cell) for part in re.split(r"[.\[\] ]+", span)}
    meant = {
        "source_language",
        "detectable_languages",
        "force_detect_language",
        "segment_confirmation_silence_threshold",
        "only_confirm_by_silence",
        "sentence_splitter",
        "ignore_languages",
        "target_language",
        "allowed_source_languages",
        "translate_partial_transcriptions",
        "speech_generation",
        "voice_id",
        "voice_cloning",
        "speed",
        "allowed_message_types",
        "translation_queue_configs",
        "preprocessing",
    }
    assert named >= meant


def test_limits_and_formats_are_those_of_the_code() -> None:
    assert f"Up to {MAX_TARGETS} targets" in PAGE
    assert f"{tts_requests.MAX_TEXT} characters each" in PAGE
    assert re.findall(r"`(\w+)`", PAGE.split("Formats: ")[1].split(". Ten seconds")[0]) == list(stt.FORMATS)
    for paths in rest.UNSERVED.values():
        assert [path for path in paths if f"saas/{path}`" not in PAGE] == []
