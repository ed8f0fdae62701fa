"""Events of a session in, messages out, read as a client reads them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import Word
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import (
    Ended,
    Event,
    Flushed,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Translated,
    Translation,
)
from dragoman.pipeline.timing import estimate_words, join_words
from dragoman.server.protocols.soniox.endpoints import Endpoints
from dragoman.server.protocols.soniox.messages import Result
from dragoman.server.protocols.soniox.start import Request
from dragoman.server.protocols.soniox.stream import Stream
from tests.server.soniox.wire import Replay

SPANISH = TargetWish("es", excluded=frozenset({"es"}), speaks=False)
BACK = TargetWish(by_source={"en": "es", "es": "en"}, speaks=False)
END = {"text": "<end>", "is_final": True}


def stream(*targets: TargetWish, endpoints: bool = True, **fields: Any) -> Stream:
    fields = {"identifies": bool(targets), **fields}
    return Stream(Request(pcm(16_000), targets, endpoints=Endpoints() if endpoints else None, **fields))


def said(text: str, start_s: float, stop_s: float, segment_id: int = 0, language: str = "en", **fields: Any) -> Event:
    words = estimate_words(text, start_s, stop_s, language)
    fields = {"closes": False, "complete": False, **fields}
    return Transcript(text, language, start_s, stop_s, words=words, segment_id=segment_id, **fields)


def translation(text: str, segment_id: int = 0, branch: int = 0, source: str = "en", target: str = "es") -> Event:
    return Translation(text, target, 0.0, 1.0, 0, branch=branch, segment_id=segment_id, source=source)


def messages(one: Stream, *events: Event) -> list[dict[str, Any]]:
    import json

    results: list[Result] = [result for event in events for result in one.event(event)]
    return [json.loads(result.to_json()) for result in results]


def texts(found: list[dict[str, Any]]) -> list[list[str]]:
    """Tokens of each message; those that are not final end with a question mark."""
    return [[token["text"] + "?" * (not token["is_final"]) for token in one["tokens"]] for one in found]


def test_an_utterance_with_its_translation() -> None:
    one = stream(SPANISH)
    found = messages(
        one,
        SpeechStarted(0.4),
        said("Hello my", 0.5, 1.2, final=False),
        said("Hello", 0.5, 0.9),
        said("my friend", 0.9, 1.6, final=False),
        said("my friend.", 0.9, 1.7, closes=True),
        SpeechEnded(1.75),
        translation("Hola, mi amigo."),
        Translated(0, 0),
        Ended(2.5),
    )
    assert texts(found) == [
        ["Hello?", " my?"],
        ["Hello"],
        [" my?", " friend?"],
        [" my", " friend."],
        ["Hola,", " mi", " amigo."],
        ["<end>"],
        [],
    ]
    assert found[1]["tokens"] == [
        {
            "text": "Hello",
            "is_final": True,
            "start_ms": 500,
            "end_ms": 900,
            "confidence": 0.9,
            "language": "en",
            "translation_status": "original",
        }
    ]
    assert found[4]["tokens"][1] == {
        "text": " mi",
        "is_final": True,
        "confidence": 0.9,
        "language": "es",
        "translation_status": "translation",
        "source_language": "en",
    }
    assert [(one["final_audio_proc_ms"], one["total_audio_proc_ms"]) for one in found] == [
        (0, 1200),
        (900, 1200),
        (900, 1600),
        (1700, 1700),
        (1700, 1700),
        (1700, 1700),
        (2500, 2500),
    ]
    assert found[-1] == {"tokens": [], "final_audio_proc_ms": 2500, "total_audio_proc_ms": 2500, "finished": True}
    assert "finished" not in found[-2]


def test_without_translation_there_is_only_what_was_asked_for() -> None:
    (plain,) = messages(stream(endpoints=False), said("Hi", 0, 1, closes=True))
    assert set(plain["tokens"][0]) == {"text", "is_final", "start_ms", "end_ms", "confidence"}
    (tagged,) = messages(stream(endpoints=False, identifies=True), said("Hi", 0, 1, closes=True, speaker="2"))
    assert tagged["tokens"][0]["language"] == "en"
    assert "speaker" not in tagged["tokens"][0]
    one = stream(SPANISH, endpoints=False, diarizes=True)
    clause = Translation("Hola", "es", 0, 1, 0, segment_id=0, source="en", speaker="2")
    spoken, translated = messages(one, said("Hi", 0, 1, closes=True, speaker="2"), clause)
    assert (spoken["tokens"][0]["speaker"], translated["tokens"][0]["speaker"]) == ("2", "2")


def test_the_end_comes_with_the_last_words_where_nothing_is_translated() -> None:
    assert texts(messages(stream(), said("Yes.", 0, 1, closes=True))) == [["Yes.", "<end>"]]
    assert texts(messages(stream(), said("Yes.", 0, 1), said("", 1, 1, closes=True))) == [["Yes."], ["<end>"]]


def test_no_end_where_nobody_paused_or_nobody_asked() -> None:
    assert texts(messages(stream(), said("Yes.", 0, 1, closes=True, paused=False))) == [["Yes."]]
    assert texts(messages(stream(endpoints=False), said("Yes.", 0, 1, closes=True))) == [["Yes."]]
    found = messages(stream(SPANISH, endpoints=False), said("Yes.", 0, 1, closes=True), Translated(0, 0))
    assert texts(found) == [["Yes."]]


def test_what_is_not_final_is_in_every_message_until_it_is_replaced() -> None:
    one = stream(SPANISH, endpoints=False)
    found = messages(
        one,
        said("One.", 0, 1),
        said("Two three", 1, 2, final=False),
        translation("Uno."),
        said("Two three", 1, 2, final=False),
        said("", 2, 2, final=False),
        said("", 2, 2, final=False),
        Flushed(0, 2.0),
    )
    assert texts(found) == [["One."], [" Two?", " three?"], ["Uno.", " Two?", " three?"], [], ["<fin>"]]


def test_a_segment_that_the_end_closes_holds_nothing_back() -> None:
    one = stream(SPANISH)
    found = messages(one, said("One.", 0, 1, 0, closes=True, paused=False), said("Two.", 1, 2, 1))
    assert texts(found) == [["One."], [" Two."]]


def test_nothing_of_the_next_segment_comes_before_the_end_of_this_one() -> None:
    one = stream(SPANISH)
    found = messages(
        one,
        said("One.", 0, 1, 0, closes=True),
        said("Two", 2, 3, 1, final=False),
        said("Two.", 2, 3, 1, closes=True),
        said("Three.", 4, 5, 2, closes=True),
        translation("Uno.", 0),
        Translated(0, 0),
        translation("Dos.", 1),
        Translated(0, 1),
        Translated(0, 2),
        Ended(6),
    )
    assert texts(found) == [
        ["One."],
        ["Uno."],
        ["<end>"],
        [" Two?"],
        [" Two."],
        [" Dos."],
        ["<end>"],
        [" Three."],
        ["<end>"],
        [],
    ]


def test_two_branches_must_both_be_done() -> None:
    one = stream(TargetWish("en", excluded=frozenset({"en"})), TargetWish(by_source={"en": "es"}))
    found = messages(
        one,
        said("One.", 0, 1, 0, closes=True),
        Translated(0, 0),
        said("Deux.", 2, 3, 1, "fr", closes=True),
        translation("Two.", 1, 0, "fr", "en"),
        Translated(0, 1),
        translation("Uno.", 0, 1),
        Translated(1, 0),
        Translated(1, 1),
    )
    assert texts(found) == [["One."], ["Uno."], ["<end>"], [" Deux."], [" Two."], ["<end>"]]


@pytest.mark.parametrize(
    ("wish", "language", "status"),
    [
        (SPANISH, "en", "original"),
        (SPANISH, "es", "none"),
        (BACK, "es", "original"),
        (BACK, "fr", "none"),
        (TargetWish("es", sources=frozenset({"en"})), "fr", "none"),
        (TargetWish("es"), "es", "none"),
    ],
)
def test_whether_speech_is_translated(wish: TargetWish, language: str, status: str) -> None:
    (found,) = messages(stream(wish), said("Word", 0, 1, language=language))
    assert found["tokens"][0]["translation_status"] == status
    assert found["tokens"][0]["language"] == language


def test_languages_without_blanks() -> None:
    one = stream(TargetWish("ja", excluded=frozenset({"ja"})), endpoints=False)
    found = messages(
        one,
        said("你好", 0, 1, language="zh"),
        said("世界", 1, 2, language="zh"),
        said("Hello", 2, 3),
        said("你", 3, 4, language="zh"),
        translation("こんにちは", target="ja", source="zh"),
        translation("世界 OK です", target="ja", source="zh"),
    )
    assert texts(found) == [["你", "好"], ["世", "界"], [" Hello"], ["你"], ["こんにちは"], ["世界", " OK", " です"]]


def test_how_sure_the_engine_is() -> None:
    words = (Word(" so", 0.1001, 0.3, 0.12345), Word("sure ", 0.3, 0.2999, 1.2), Word(" ", 0.3, 0.4, 0.5))
    (found,) = messages(stream(endpoints=False), Transcript("so sure", "en", 0.1, 0.4, words=words))
    assert [(one["text"], one["confidence"]) for one in found["tokens"]] == [("so", 0.123), (" sure", 1.0)]
    assert [(one["start_ms"], one["end_ms"]) for one in found["tokens"]] == [(100, 300), (300, 300)]


def test_words_without_times_of_their_own() -> None:
    (found,) = messages(stream(endpoints=False), Transcript("one two", "en", 1.0, 2.0))
    assert [one["text"] for one in found["tokens"]] == ["one", " two"]
    assert found["tokens"][1]["end_ms"] == 2000


segments = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["Yes", "no", "maybe,", "¿Qué?", "well."]), min_size=1, max_size=5),
        st.sampled_from(["en", "es", "fr"]),
        st.booleans(),
        st.lists(st.integers(0, 4), max_size=3),
    ),
    max_size=6,
)


@settings(max_examples=200, deadline=None)
@given(segments, st.booleans(), st.booleans(), st.data())
def test_whatever_is_said_a_client_can_read_it(
    parts: list[tuple[list[str], str, bool, list[int]]], endpoints: bool, two: bool, data: st.DataObject
) -> None:
    """Transcripts and translations of several segments come in any order that a session may give them in."""
    wishes = [TargetWish("en", excluded=frozenset({"en"})), TargetWish(by_source={"en": "es"})] if two else [SPANISH]
    heard: list[Event] = []
    told: list[list[Event]] = [[] for _ in wishes]
    ready: dict[int, int] = {}
    at_s, spoken = 0.0, []
    for number, (words, language, paused, cuts) in enumerate(parts):
        heard += [said(" ".join(words[:cut]), at_s, at_s + 1, number, language, final=False) for cut in cuts]
        heard.append(said(" ".join(words), at_s, at_s + 1, number, language, closes=True, paused=paused))
        spoken += words
        at_s += 2
        for branch, wish in enumerate(wishes):
            target = wish.target_of(language)
            if target not in (None, language):
                told[branch].append(translation("x " + " ".join(words), number, branch, language, str(target)))
            told[branch].append(Translated(branch, number))
        ready[number] = len(heard)
    one, client, places = stream(*wishes, endpoints=endpoints), Replay(), [0, *(0 for _ in wishes)]
    queues = [heard, *told]
    while any(place < len(queue) for place, queue in zip(places, queues, strict=True)):
        possible = [
            index
            for index, (place, queue) in enumerate(zip(places, queues, strict=True))
            if place < len(queue) and (index == 0 or places[0] >= ready[getattr(queue[place], "segment_id", 0)])
        ]
        chosen = data.draw(st.sampled_from(possible))
        for message in messages(one, queues[chosen][places[chosen]]):
            client.take(message)
        places[chosen] += 1
    for message in messages(one, Flushed(0, at_s), Ended(at_s)):
        client.take(message)
    assert client.finished
    assert client.spoken == join_words([Word(word, 0, 0) for word in spoken], "en")
    pauses = sum(paused for _, _, paused, _ in parts)
    assert client.signs.count("<end>") == (pauses if endpoints else 0)
    assert client.signs.count("<fin>") == 1
    if endpoints and all(paused for _, _, paused, _ in parts):
        assert [said for said, _ in client.utterances[: len(parts)]] == [" ".join(words) for words, *_ in parts]
        for (words, language, *_), (_, translated) in zip(parts, client.utterances, strict=False):
            wanted = [f"x {' '.join(words)}" for wish in wishes if wish.target_of(language) not in (None, language)]
            assert translated == " ".join(wanted)
