"""What is still supposed: told with what becomes final, taken back when a `finalize` or a pause leaves none of it."""

from dragoman.models.base import Word
from dragoman.pipeline.events import Flushed, Recognised, Translated
from dragoman.pipeline.timing import estimate_words
from tests.server.soniox.test_stream import SPANISH, messages, said, stream, texts, translation


def supposed_behind(text: str, start_s: float, stop_s: float) -> tuple[Word, ...]:
    return estimate_words(text, start_s, stop_s, "en")


def test_what_becomes_final_and_what_is_supposed_behind_it_are_one_message() -> None:
    one = stream(SPANISH)
    found = messages(
        one,
        said("Hello my", 0.5, 1.2, final=False),
        said("Hello", 0.5, 0.9, rest=supposed_behind("my friend", 0.9, 1.6)),
        said("my friend", 0.9, 1.6, final=False),  # the same once more
        translation("Hola,"),
        said("my friend and", 0.9, 1.9, final=False),
        said("my", 0.9, 1.2, rest=supposed_behind("friend and", 1.2, 1.9)),
        said("friend.", 1.2, 1.7, closes=True),
    )
    assert texts(found) == [
        ["Hello?", " my?"],
        ["Hello", " my?", " friend?"],
        ["Hola,", " my?", " friend?"],
        [" my?", " friend?", " and?"],
        [" my", " friend?", " and?"],
        [" friend."],
    ]
    assert [(one["final_audio_proc_ms"], one["total_audio_proc_ms"]) for one in found[:3]] == [
        (0, 1200),
        (900, 1600),
        (900, 1600),
    ]


def test_what_is_supposed_behind_a_final_has_its_speaker_and_its_status() -> None:
    one = stream(SPANISH, diarizes=True)
    (found,) = messages(one, said("Hello", 0.5, 0.9, speaker="2", rest=supposed_behind("my friend", 0.9, 1.6)))
    assert [(token["speaker"], token["translation_status"]) for token in found["tokens"]] == [("2", "original")] * 3
    assert [(token["start_ms"], token["is_final"]) for token in found["tokens"][:2]] == [(500, True), (900, False)]


def test_what_was_supposed_and_is_not_any_more_is_taken_back() -> None:
    one = stream(SPANISH)
    found = messages(
        one,
        said("Hello", 0.5, 0.9, rest=supposed_behind("my friend", 0.9, 1.6)),
        said("", 0.9, 0.9, final=False),
    )
    assert texts(found) == [["Hello", " my?", " friend?"], []]


def test_what_is_supposed_of_the_next_segment_waits_for_the_endpoint_with_its_finals() -> None:
    one = stream(SPANISH)
    found = messages(
        one,
        said("Hello.", 0.5, 0.9, closes=True),
        said("Who", 2.0, 2.4, segment_id=1, rest=supposed_behind("are you", 2.4, 3.0)),
        said("are you", 2.4, 3.0, segment_id=1, final=False),
        translation("Hola."),
        Translated(0, 0),
    )
    assert texts(found) == [["Hello."], ["Hola."], ["<end>"], [" Who", " are?", " you?"]]


def test_fin_comes_behind_everything_and_covers_the_audio() -> None:
    found = messages(
        stream(SPANISH), said("Yes.", 0, 1, closes=True, paused=False), translation("Sí."), Flushed(0, 3.2)
    )
    assert texts(found) == [["Yes."], ["Sí."], ["<fin>"]]
    assert found[-1]["final_audio_proc_ms"] == found[-1]["total_audio_proc_ms"] == 3200


def test_who_goes_on_speaking_sees_nothing_of_it_before_fin() -> None:
    one = stream(SPANISH)
    found = messages(
        one,
        said("One.", 0, 1, 0, closes=True, paused=False),
        Recognised(1.0),
        Recognised(1.0, 0),
        said("Two", 1, 2, 1, final=False),
        said("Two.", 1, 2, 1, closes=True, paused=False),
        Recognised(2.0),
        Recognised(2.0, 1),
        translation("Uno.", 0),
        Translated(0, 0),
        said("Three", 2, 3, 2, final=False),
        Flushed(0, 1.0),
        translation("Dos.", 1),
        Translated(0, 1),
        Flushed(1, 2.0),
        said("Three.", 2, 3, 2),
    )
    assert texts(found) == [
        ["One."], ["Uno."], ["<fin>"], [" Two?"], [" Two."], [" Dos."], ["<fin>"], [" Three?"], [" Three."]
    ]  # fmt: skip


def test_a_finalize_that_closes_nothing_comes_before_what_is_said_behind_it() -> None:
    """While translations are waited for, the recogniser goes on to what a second one closes."""
    one = stream(SPANISH, endpoints=False)
    found = messages(
        one,
        said("One.", 0, 1, 0, closes=True),
        Recognised(1.0),
        Recognised(2.0, 0),
        said("Two", 2, 3, 1, final=False),
        said("Two.", 2, 3, 1, closes=True, paused=False),
        Recognised(3.0),
        Recognised(3.0, 1),
        translation("Uno.", 0),
        Translated(0, 0),
        Flushed(0, 2.0),
        translation("Dos.", 1),
        Translated(0, 1),
        Flushed(1, 3.0),
    )
    assert texts(found) == [["One."], ["Uno."], ["<fin>"], [" Two?"], [" Two."], [" Dos."], ["<fin>"]]


def test_what_was_supposed_and_came_to_nothing_is_taken_back() -> None:
    one = stream(endpoints=False)
    found = messages(one, said("Hm", 0, 1, final=False), Recognised(1.0), Recognised(1.0, 0), Flushed(0, 1.0))
    assert texts(found) == [["Hm?"], [], ["<fin>"]]
    behind = messages(
        stream(SPANISH),
        said("One.", 0, 1, 0, closes=True),
        said("Hm", 2, 3, 1, final=False),
        Recognised(3.0),
        Translated(0, 0),
    )
    assert texts(behind) == [["One."], ["<end>"], [" Hm?"], []]
