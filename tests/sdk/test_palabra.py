"""The official client in sessions of speech and of text, with words that are known."""

from pathlib import Path
from typing import Any

import pytest
from palabra_ai import Audio, ServerError, StreamEnd, TaskInfo, TaskStatus, Transcript, build_task

from dragoman.testing import RunningServer, running_server
from tests.sdk.child import Raised
from tests.sdk.palabra_client import run_client
from tests.sdk.speech import as_ogg_opus, as_wav, bursts, resampled
from tests.waiting import until

SPOKEN = {
    "en": ["Good morning.", "How are you today?", "Thank you very much."],
    "es": ["Buenos días.", "¿Cómo está usted hoy?", "Muchas gracias."],
    "fr": ["Bonjour.", "Comment allez-vous aujourd'hui ?", "Merci beaucoup."],
    "pt": ["Bom dia.", "Como está hoje?", "Muito obrigado."],
}
THREE = bursts(3, 24000).tobytes()
ONE = bursts(1, 24000).tobytes()


def texts(events: list[Any], kind: str, language: str) -> list[str]:
    return [one.text for one in events if isinstance(one, Transcript) and (one.type, one.language) == (kind, language)]


def sounds(events: list[Any], language: str) -> list[Audio]:
    return [one for one in events if isinstance(one, Audio) and one.language == language]


def seconds(chunks: list[Audio]) -> float:
    return sum(len(chunk.pcm) for chunk in chunks) / 48000


def run(server: RunningServer, steps: list[Any], **options: Any) -> Any:
    events = run_client("translation", url=server.url, steps=steps, **options)
    assert not isinstance(events, Raised), events
    return events


def check_target(events: list[Any], language: str, spelled: str = "") -> None:
    """Every sentence was translated and spoken in a language, in order, whole, under the ids of what was heard."""
    spelled = spelled or language
    heard = [one for one in events if isinstance(one, Transcript) and one.type == "validated_transcription"]
    told = [
        one
        for one in events
        if isinstance(one, Transcript) and (one.type, one.language) == ("translated_transcription", spelled)
    ]
    assert [one.text for one in heard] == SPOKEN["en"]
    assert [one.text for one in told] == SPOKEN[language]
    assert [one.id for one in told] == [one.id for one in heard]
    chunks = sounds(events, spelled)
    ends = [chunk.id for chunk in chunks if chunk.last_chunk]
    assert ends == [one.id for one in heard]
    assert [chunk.id for chunk in chunks] == sorted((chunk.id for chunk in chunks), key=ends.index)
    for text, source in zip(told, heard, strict=True):
        here = [chunk for chunk in chunks if chunk.id == text.id]
        assert events.index(source) < events.index(text) < events.index(here[0])
        assert here[-1].last_chunk
        assert {len(chunk.pcm) for chunk in here[:-1]} <= {9600}
        assert seconds(here) == pytest.approx(max(0.2, 0.06 * len(text.text)), rel=0.25, abs=0.2)


@pytest.mark.parametrize("targets", [["es"], ["es", "fr", "pt-br"]])
def test_everything_that_is_heard_is_said_in_every_target(scripted: RunningServer, targets: list[str]) -> None:
    events = run(scripted, [("pcm", THREE), ("end",)], source="en", targets=targets)
    ready, *rest = events
    assert (ready.command, ready.event, ready.status) == ("set_task", "started", "running")
    for spelled in targets:
        check_target(events, spelled.split("-")[0], spelled)
    assert isinstance(events[-1], StreamEnd)
    assert not [one for one in rest if isinstance(one, ServerError)]
    ids = {one.id for one in events if isinstance(one, Transcript)}
    assert len(ids) == 3
    assert all(len(one) == 16 for one in ids)


def test_partials_grow_and_share_the_id_of_what_they_become(scripted: RunningServer) -> None:
    speech = bursts(1, 24000, length_s=2.4).tobytes()
    events = run(scripted, [("send_pcm", speech), ("end",)], source="en", targets=["es"], translate_partials=True)
    final = next(one for one in events if one.type == "validated_transcription")
    partials = [one for one in events if one.type == "partial_transcription"]
    assert partials
    assert {one.id for one in partials} == {final.id}
    growing = [one for one in events if one.type == "partial_translated_transcription"]
    assert [one.text for one in growing] == SPOKEN["es"][:1]


def test_compressed_output_and_every_input(scripted: RunningServer) -> None:
    samples = bursts(3, 24000)
    half = resampled(samples, 24000, 16000)
    stereo = half.repeat(2).tobytes()
    wav, opus = as_wav(samples, 24000), as_ogg_opus(samples, 24000)
    cases = [
        ({"output_format": "zlib_pcm_s16le"}, [("pcm", THREE)]),
        ({"input_sample_rate": 16000, "input_channels": 2}, [("pcm", stereo)]),
        ({"input_format": "wav"}, [("send_audio", wav[at : at + 15360]) for at in range(0, len(wav), 15360)]),
        ({"input_format": "opus"}, [("send_audio", opus[at : at + 4000]) for at in range(0, len(opus), 4000)]),
    ]
    jobs = [
        (
            "translation",
            {"url": scripted.url, "steps": [*steps, ("end",)], "source": "en", "targets": ["es"], **options},
        )
        for options, steps in cases
    ]
    for (options, _), events in zip(cases, run_client("each", jobs=jobs), strict=True):
        assert not isinstance(events, Raised), (options, events)
        check_target(events, "es")


def test_files(scripted: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    path.write_bytes(as_wav(bursts(1, 24000, 1.0, 0.6), 24000))
    options = {"source": "en", "targets": ["es", "fr"], "output": str(tmp_path / "out.wav")}
    done = run_client("file", url=scripted.url, path=str(path), **options)
    assert not isinstance(done, Raised), done
    assert set(done["sound"]) == {"es", "fr"}
    assert [one.text for one in done["transcripts"] if one.type == "translated_transcription"] == [
        "Buenos días.",
        "Bonjour.",
    ]
    for language, sound in done["sound"].items():
        assert (tmp_path / f"out_{language}.wav").stat().st_size == len(sound) + 44


# --- text


def test_a_text_is_translated_and_spoken_in_every_target(scripted: RunningServer) -> None:
    steps = [
        ("speak", "Good morning. How are you today?", "en", {"translate": True}),
        ("wait", 1, {"language": "es", "last_chunk": True}),
        ("wait", 1, {"language": "fr", "last_chunk": True}),
        ("pcm", ONE),
        ("end",),
    ]
    events = run(scripted, steps, source="en", targets=["es", "fr"])
    queued = next(one for one in events if isinstance(one, TaskStatus) and one.command == "tts_task")
    assert (queued.event, queued.status) == ("queued", "running")
    for language in ("es", "fr"):
        assert texts(events, "translated_transcription", language) == [*SPOKEN[language][:2], SPOKEN[language][0]]
        of_text = [chunk for chunk in sounds(events, language) if chunk.id == queued.transcription_id]
        assert [chunk.last_chunk for chunk in of_text].count(True) == 1
        assert of_text[-1].last_chunk
        assert {chunk.part_id for chunk in of_text} == {"0", "1"}
    assert texts(events, "validated_transcription", "en") == SPOKEN["en"][:1]


def test_a_text_is_spoken_as_it_is_in_its_own_target(scripted: RunningServer) -> None:
    steps = [("speak", "Bonjour à tous.", "fr"), ("wait", 1, {"last_chunk": True}), ("end",)]
    events = run(scripted, steps, source="en", targets=["es", "fr"])
    assert not [one for one in events if isinstance(one, Transcript)]
    assert sounds(events, "es") == []
    assert seconds(sounds(events, "fr")) == pytest.approx(0.9, abs=0.1)


def test_texts_that_cannot_be_said_do_not_end_the_session(scripted: RunningServer) -> None:
    steps = [
        ("speak", "x" * 2049, "en", {"translate": True}),
        ("speak", "", "en", {"translate": True}),
        ("speak", "Hi", "tlh", {"translate": True}),
        ("speak", "Hi", "auto", {"translate": True}),
        ("speak", "Hallo", "de"),
        ("speak", "Halò", "gd", {"translate": True}),
        ("wait", 6, {"type": "error"}),
        ("speak", "word " * 409 + "end", "en", {"translate": True}),
        ("wait", 1, {"last_chunk": True}),
        ("end",),
    ]
    assert len(steps[7][1]) == 2048
    events = run(scripted, steps, source="en", targets=["es"])
    errors = [one for one in events if isinstance(one, ServerError)]
    assert {one.code for one in errors} == {"VALIDATION_ERROR"}
    assert [one.desc.split(":")[0] for one in errors] == [
        "text",
        "text",
        "language",
        "language",
        "language",
        "language",
    ]
    assert texts(events, "translated_transcription", "es") == [f"[es] {steps[7][1]}"]
    assert seconds(sounds(events, "es")) == pytest.approx(0.06 * 2053, rel=0.01)


# --- tasks that cannot be


def test_a_task_that_cannot_be_is_a_task_error(scripted: RunningServer) -> None:
    bad = build_task("en", ["es", "fr"])
    bad["pipeline"]["translations"][1]["target_language"] = 7
    strange = build_task("en", ["es"])
    strange["input_stream"]["source"]["type"] = "webrtc"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"source": "tlh", "targets": "es"}, "pipeline.transcription.source_language: is not a supported language"),
        ({"source": "sw", "targets": "es"}, "pipeline.transcription.source_language: no recogniser for 'sw'"),
        (
            {"source": "en", "targets": ["es", "sw"]},
            "pipeline.translations[1].target_language: no translator for en→sw",
        ),
        ({"task": bad}, "pipeline.translations[1].target_language: must be a valid string"),
        ({"task": strange}, "input_stream.source.type: must be 'ws': only WebSocket is served here"),
        ({"source": "en", "targets": "es", "silence_threshold": 0.1}, "segment_confirmation_silence_threshold"),
    ]
    jobs = [("translation", {"url": scripted.url, "steps": [], **options}) for options, _ in cases]
    for (_, text), raised in zip(cases, run_client("each", jobs=jobs), strict=True):
        assert isinstance(raised, Raised)
        assert raised.kind == "TaskError"
        assert raised.text.startswith("VALIDATION_ERROR: ")
        assert text in raised.text


def test_keys() -> None:
    environment = {"DRAGOMAN_API_KEYS": "a+b/c=,other"}
    with running_server("scripted", environment=environment) as server:
        session = {"url": server.url, "steps": [("end",)], "source": "en", "targets": ["es"]}
        jobs: list[Any] = [("translation", {**session, "key": key}) for key in ("a+b/c=", "wrong")]
        jobs += [("stt", {"url": server.url, "audio": ONE, "wait": 1, "key": key}) for key in ("a+b/c=", "wrong")]
        jobs += [
            ("tts", {"url": server.url, "texts": [("Hola", {})], "language": "es", "key": key})
            for key in ("a+b/c=", "wrong")
        ]
        good, bad, heard, deaf, said, mute = run_client("each", jobs=jobs)
        assert isinstance(good[-1], StreamEnd)
        assert (bad.kind, "403" in bad.text) == ("SessionError", True)
        assert heard[-1].is_eos
        assert deaf.kind == "AuthError"
        assert len(said[0]) > 1000
        assert (mute.kind, "403" in mute.text) == ("SessionError", True)


# --- while a task runs


def test_pause_resume_and_get_task(scripted: RunningServer) -> None:
    steps = [
        ("pcm", ONE),
        ("wait", 1, {"last_chunk": True}),
        ("pause",),
        ("wait", 1, {"event": "paused"}),
        ("pcm", ONE),
        ("get_task",),
        ("wait", 1, {"type": "current_task"}),
        ("resume",),
        ("wait", 1, {"event": "resumed"}),
        ("resume",),
        ("wait", 1, {"event": "unchanged"}),
        ("pcm", ONE),
        ("end",),
    ]
    events = run(scripted, steps, source="en", targets=["es"])
    assert texts(events, "validated_transcription", "en") == SPOKEN["en"][:2]
    paused = next(one for one in events if isinstance(one, TaskStatus) and one.event == "paused")
    assert (paused.command, paused.status) == ("pause_task", "paused")
    info = next(one for one in events if isinstance(one, TaskInfo))
    assert info.status == "paused"
    assert info.task["pipeline"]["translations"][0]["target_language"] == "es"


def test_a_task_that_is_changed_loses_nothing(scripted: RunningServer) -> None:
    changed = build_task("en", ["fr", "pt"])
    steps = [
        ("pcm", THREE[: len(THREE) * 2 // 3]),
        ("set_task", changed),
        ("pcm", ONE),
        ("speak", "Thank you very much.", "en", {"translate": True}),
        ("end",),
    ]
    events = run(scripted, steps, source="en", targets=["es"])
    assert [one.event for one in events if isinstance(one, TaskStatus)] == ["started", "updated", "queued"]
    assert texts(events, "translated_transcription", "es") == SPOKEN["es"][:2]
    # The script begins again with each session.
    for language in ("fr", "pt"):
        assert sorted(texts(events, "translated_transcription", language)) == sorted(
            [SPOKEN[language][0], SPOKEN[language][2]]
        )
        assert sum(chunk.last_chunk for chunk in sounds(events, language)) == 2
    assert events.index(sounds(events, "es")[-1]) < events.index(sounds(events, "fr")[0])


def test_an_interruption_is_heard_at_once(scripted: RunningServer) -> None:
    long = "This text is long enough to be spoken for many seconds. " * 30
    steps = [
        ("speak", long, "en", {"translate": True}),
        ("wait", 1, {"type": "output_audio_data", "language": "es"}),
        ("interrupt",),
        ("wait", 1, {"event": "interrupted"}),
        ("speak", "Good morning.", "en", {"translate": True}),
        ("end",),
    ]
    events = run(scripted, steps, source="en", targets=["es", "fr"])
    first, second = (one.transcription_id for one in events if isinstance(one, TaskStatus) and one.event == "queued")
    answer = next(place for place, one in enumerate(events) if getattr(one, "event", "") == "interrupted")
    behind = [one for one in events[answer:] if isinstance(one, Audio | Transcript)]
    assert {one.id for one in behind} == {second}
    for language in ("es", "fr"):
        before = [chunk for chunk in sounds(events, language) if chunk.id == first]
        assert before[-1].last_chunk
        assert seconds(before) < 0.06 * len(long) / 2
        assert sounds(events, language)[-1].last_chunk
        assert texts(events[answer:], "translated_transcription", language) == SPOKEN[language][:1]


def test_one_language_is_interrupted_and_the_task_paused(scripted: RunningServer) -> None:
    steps = [
        ("interrupt", ["es"], {"pause": True}),
        ("wait", 1, {"event": "interrupted", "status": "paused"}),
        ("interrupt", ["de"]),
        ("wait", 1, {"type": "error"}),
        ("end",),
    ]
    events = run(scripted, steps, source="en", targets=["es", "fr"])
    (refusal,) = (one for one in events if isinstance(one, ServerError))
    assert refusal.desc.startswith("languages[0]: ")


def test_two_sessions_with_the_same_token(scripted: RunningServer) -> None:
    def job(target: str) -> Any:
        steps = [("pcm", THREE), ("end",)]
        return ("translation", {"url": scripted.url, "steps": steps, "source": "en", "targets": [target]})

    spanish, french = run_client("at_once", jobs=[job("es"), job("fr")])
    check_target(spanish, "es")
    check_target(french, "fr")
    assert not {one.id for one in spanish if isinstance(one, Audio)} & {
        one.id for one in french if isinstance(one, Audio)
    }


@pytest.mark.parametrize("way", ["vanish", "leave"])
def test_a_client_that_goes_in_the_middle_leaves_nothing_behind(scripted: RunningServer, way: str) -> None:
    steps: list[Any] = [("pcm", THREE[: len(THREE) // 2]), ("wait", 1, {"type": "output_audio_data"})]
    if way == "vanish":
        steps.append(("vanish",))
    events = run(scripted, steps, source="en", targets=["es", "fr"])
    assert not any(isinstance(one, StreamEnd) for one in events)
    until(lambda: not scripted.get_json("/ready")["sessions"], "its session has ended")
