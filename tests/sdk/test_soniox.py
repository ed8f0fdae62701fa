"""The official Soniox client, sync and async, against a real server with fixed words."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from soniox.types.api import RealtimeSTTHeaderFormat, RealtimeSTTRawFormat

from dragoman.pipeline.audio.formats import Container
from dragoman.testing import RunningServer, running_server
from tests.pipeline.audio.files import as_file
from tests.sdk.soniox_client import read, run, whole
from tests.sdk.speech import as_alaw, as_ulaw, as_wav, bursts, resampled
from tests.server.resources import held, nothing_stays

RATE = 16_000
THREE = bursts(3, RATE).tobytes()
SPANISH = {"type": "one_way", "target_language": "es"}
CONVERSATION = """
@en Good morning. | es: Buenos días.
@es ¿Cómo está? | en: How are you?
@en Very well. | es: Muy bien.
@fr Au revoir. | en: Goodbye.
"""


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that hears a conversation in English and Spanish, and then some French."""
    script = Path(tmp_path_factory.mktemp("talk")) / "script.txt"
    script.write_text(CONVERSATION, encoding="utf-8")
    with running_server("scripted", environment={"DRAGOMAN_ENGINES__SCRIPT": str(script)}) as server:
        yield server
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("job", ["sync", "asynchronous"])
def test_one_way_with_endpoints(scripted: RunningServer, job: str) -> None:
    config = {
        "model": "stt-rt-v6" if job == "sync" else "stt-rt-v7",
        "translation": SPANISH,
        "enable_endpoint_detection": True,
        "enable_language_identification": True,
    }
    client = read(run(job, url=scripted.url, steps=whole(THREE), config=config))
    assert client.utterances == [
        ("Good morning.", "Buenos días."),
        ("How are you today?", "¿Cómo está usted hoy?"),
        ("Thank you very much.", "Muchas gracias."),
        ("", ""),
    ]
    assert client.signs == ["<end>"] * 3


@pytest.mark.parametrize("job", ["sync", "asynchronous"])
def test_non_final_words_come_before_final_ones(scripted: RunningServer, job: str) -> None:
    speech, pause = bursts(1, RATE, 2.5, 0.0).tobytes(), bytes(round(0.9 * RATE) * 2)
    said = ("Good morning.", "How are you today?")
    utterances = [[("send", speech, 3_200, 0.0), ("until", text), ("send", pause, 3_200, 0.0)] for text in said]
    events = run(job, url=scripted.url, steps=[*chain(*utterances), ("finish",)], config={})
    client = read(events, translates=False)
    assert client.spoken == "Good morning. How are you today?"
    guesses = [token["text"] for event in events for token in event["tokens"] if not token["is_final"]]
    assert guesses[0] == "Good"
    assert " today?" in guesses
    assert events[0]["final_audio_proc_ms"] < events[0]["total_audio_proc_ms"]
    assert events[-1]["final_audio_proc_ms"] == 6_800


def test_finalize_and_pause(scripted: RunningServer) -> None:
    one = bursts(1, RATE, 1.5, 0.0).tobytes()
    steps = [("send", one, 3_200, 0.0), ("finalize",),
             ("send", one, 3_200, 0.0), ("pause",), ("sleep", 0.3),
             ("send", one, 3_200, 0.0), ("resume",), ("send", one, 3_200, 0.0), ("finish",)]  # fmt: skip
    config = {"translation": SPANISH, "enable_endpoint_detection": True}
    for job in ("sync", "asynchronous"):
        client = read(run(job, url=scripted.url, steps=steps, config=config))
        assert client.signs == ["<fin>", "<fin>"]
        assert client.utterances == [
            ("Good morning.", "Buenos días."),
            ("How are you today?", "¿Cómo está usted hoy?"),
            ("Thank you very much.", "Muchas gracias."),
        ]


def test_two_way(talk: RunningServer) -> None:
    steps = whole(bursts(4, RATE).tobytes())
    newest = {"type": "two_way", "language_a": "es", "language_b": "en"}
    first = {"target_language": "en", "source_languages": ["*"], "two_way_target_language": "es"}
    ends = {"enable_endpoint_detection": True, "max_endpoint_delay_ms": 1_500}
    both, all_of_them, hinted = run(
        "each",
        jobs=[
            ("sync", {"url": talk.url, "steps": steps, "config": {"translation": newest, **ends}}),
            ("sync", {"url": talk.url, "steps": steps, "config": {"translation": first, **ends}}),
            (
                "asynchronous",
                {
                    "url": talk.url,
                    "steps": steps,
                    "config": {"translation": newest, **ends, "language_hints": ["en", "es", "fr"]},
                },
            ),
        ],
    )
    said = [
        ("Good morning.", "Buenos días."),
        ("¿Cómo está?", "How are you?"),
        ("Very well.", "Muy bien."),
        ("Au revoir.", ""),
        ("", ""),
    ]
    assert read(both).utterances == read(hinted).utterances == said
    assert read(all_of_them).utterances == [*said[:3], ("Au revoir.", "Goodbye."), ("", "")]
    client = read(both)
    assert client.text("none") == " Au revoir."
    assert [token["language"] for token in client.finals if token.get("translation_status") == "original"] == [
        *["en"] * 2,
        *["es"] * 2,
        *["en"] * 2,
    ]
    sources = {token["language"]: token["source_language"] for token in client.finals if "source_language" in token}
    assert sources == {"es": "en", "en": "es"}


def test_what_is_not_to_be_translated_is_not(talk: RunningServer) -> None:
    steps = whole(bursts(4, RATE).tobytes())
    blocks = [
        {"target_language": "en", "source_languages": ["*"], "exclude_source_languages": ["fr"]},
        {"target_language": "pt", "source_languages": ["es"]},
        {"type": "one_way", "target_language": "en"},
    ]
    jobs = [("sync", {"url": talk.url, "steps": steps, "config": {"translation": block}}) for block in blocks]
    excluding, portuguese, newest = (read(events) for events in run("each", jobs=jobs))
    assert excluding.text("original") == " ¿Cómo está?"
    assert excluding.text("none") == "Good morning. Very well. Au revoir."
    assert portuguese.text("translation") == "[pt] ¿Cómo está?"
    assert newest.text("translation") == "How are you? Goodbye."
    assert excluding.spoken == portuguese.spoken == newest.spoken == "Good morning. ¿Cómo está? Very well. Au revoir."


def test_the_packages_own_rendering(talk: RunningServer) -> None:
    config = {"translation": {"type": "one_way", "target_language": "pt"}}
    one = bursts(1, RATE).tobytes()
    # The helper writes tokens as they come, and a translation may come behind what was said next.
    steps = [("send", one, 3_200, 0.0), ("until", "[pt] Good morning."), *whole(one)]
    text = run("rendered", url=talk.url, steps=steps, config=config)
    assert text.split("\n") == [
        "",
        "[en] Good morning.",
        "[Translation] [pt] [pt] Good morning.",
        "[es] ¿Cómo está?",
        "[Translation] [pt] [pt] ¿Cómo está?",
    ]


def test_terms(scripted: RunningServer) -> None:
    config = {
        "translation": {"type": "one_way", "target_language": "nl"},
        "context": {"terms": ["morning"], "translation_terms": {"Good": "GOED"}},
    }
    client = read(run("sync", url=scripted.url, steps=whole(bursts(1, RATE).tobytes()), config=config))
    assert client.text("translation") == "[nl] GOED morning."


def test_every_audio_format(scripted: RunningServer) -> None:
    """Two utterances, in every format that the package knows; whatever the format, they are heard."""
    samples = bursts(2, RATE)
    floats = (samples / 32_768).astype(np.float32)
    jobs = []
    for name in (*get_args(RealtimeSTTHeaderFormat), "auto"):
        data = as_wav(samples, RATE) if name == "wav" else b""
        data = data or as_file(Container("mp3" if name == "auto" else name), floats, RATE)
        jobs.append((name, {"audio_format": name}, data))
    for name in get_args(RealtimeSTTRawFormat):
        rate, channels = (8_000, 1) if "law" in name else (11_025, 2)
        data = raw(name, resampled(samples, RATE, rate), channels)
        jobs.append((name, {"audio_format": name, "sample_rate": rate, "num_channels": channels}, data))
    results = run(
        "each",
        jobs=[("sync", {"url": scripted.url, "steps": whole(data), "config": c}) for _, c, data in jobs],
    )
    for (name, _, _), events in zip(jobs, results, strict=True):
        client = read(events, translates=False)
        assert client.spoken == "Good morning. How are you today?", name
        assert events[-1]["final_audio_proc_ms"] == pytest.approx(3_800, abs=300), name


def raw(name: str, samples: np.ndarray, channels: int) -> bytes:
    """16-bit samples in one of the raw formats, the same in each channel."""
    if name in ("mulaw", "alaw"):
        return (as_ulaw if name == "mulaw" else as_alaw)(samples)
    values = np.repeat(samples, channels).astype(np.float64) / 32_768
    kind, width, order = name[4], int("".join(filter(str.isdigit, name))), ">" if name.endswith("be") else "<"
    if kind == "f":
        return values.astype(f"{order}f{width // 8}").tobytes()
    integers = np.round(values * 2 ** (width - 1)).astype(np.int64) + (2 ** (width - 1) if kind == "u" else 0)
    whole_ = integers.astype("<i8").view(np.uint8).reshape(-1, 8)[:, : width // 8]
    return (whole_[:, ::-1] if order == ">" else whole_).tobytes()


def test_all_of_it_is_there_for_a_client_that_reads_late(scripted: RunningServer) -> None:
    config = {"translation": SPANISH, "enable_endpoint_detection": True}
    audio = bursts(20, RATE).tobytes()
    client = read(run("sync", url=scripted.url, steps=whole(audio), config=config, read_after_s=2.0))
    assert len(client.utterances) == 21
    assert client.signs == ["<end>"] * 20


def test_clients_that_leave_and_clients_that_never_close() -> None:
    """The package drops its sockets without a Close frame; nothing may be left of them here."""
    with running_server() as server:
        one = {"url": server.url, "config": {"translation": SPANISH, "audio_format": "auto"}}
        mp3 = as_file(Container.MP3, (bursts(3, RATE) / 32_768).astype(np.float32), RATE)
        assert (
            read(run("sync", **one, steps=whole(mp3))).spoken == "Good morning. How are you today? Thank you very much."
        )
        before = held(server)
        leaving = [("sync", {**one, "steps": [("send", mp3[:9_000], 999, 0.0)], "leave": True})] * 10
        silent = [("sync", {**one, "steps": [], "leave": True})] * 5
        run("each", jobs=[*leaving, *silent, ("sync", {**one, "steps": whole(mp3)})])
        nothing_stays(server, before, len(leaving) + len(silent))
        assert "Traceback" not in server.log()
