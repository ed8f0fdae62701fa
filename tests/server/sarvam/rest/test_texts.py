"""Text to text by REST."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from dragoman.models.base import LanguagePair
from dragoman.server.protocols.sarvam.rest.texts import MAX_CHARACTERS, MOST, SARVAM
from tests.fakes.engines import FakeTranslator
from tests.server.sarvam.rest.calling import calling, indian_engines

ENGLISH_TO_HINDI = {"source_language_code": "en-IN", "target_language_code": "hi-IN"}


def body(text: str, **fields: Any) -> dict[str, Any]:
    return {"json": {"input": text, **ENGLISH_TO_HINDI, **fields}}


async def test_translation() -> None:
    async with calling() as called:
        for path in ("/translate", "/translate/", "http://127.0.0.1:8000//translate"):
            answer = await called.post(path, **body("Good morning. How are you?", mode="formal", speaker_gender=None))
            found = answer.json()
            assert found.pop("request_id")
            assert (answer.status_code, found) == (200, {
                "translated_text": "<hi> Good morning. <hi> How are you?", "source_language_code": "en-IN",
            })  # fmt: skip
        assert called.services.usage.sessions == 3
        assert called.services.admission.running == 0
        assert called.services.usage.text_out == 3 * len("<hi> Good morning.<hi> How are you?")


async def test_a_language_that_is_found_is_answered_with() -> None:
    async with calling() as called:
        auto = {"source_language_code": "auto", "target_language_code": "ta"}
        found = (await called.post("/translate", **body("मेरा नाम", **auto))).json()
        assert (found["translated_text"], found["source_language_code"]) == ("<ta> <en> मेरा नाम", "hi-IN")
        answer = await called.post("/translate", **body("42", **auto))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request_error")
        refused = await called.post("/translate", **body("Hello", **auto, model=SARVAM))
        assert "source_language_code auto needs model mayura:v1" in refused.text


async def test_lines_and_marks_stay() -> None:
    async with calling() as called:
        found = (await called.post("/translate", **body("# One\n\n**two** 🙂\nthree"))).json()
        assert found["translated_text"] == "<hi> # One\n\n<hi> **two** 🙂\n<hi> three"


async def test_what_is_in_the_target_language_stays() -> None:
    async with calling() as called:
        text = " Good  morning. \n"
        found = (await called.post("/translate", **body(text, target_language_code="en-IN"))).json()
        assert found["translated_text"] == text
        assert called.services.usage.sessions == 0


class FakeHindi(FakeTranslator):
    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        return ["मेरा नंबर 42 है।"] * len(texts)


async def test_scripts_and_digits() -> None:
    async with calling(lambda: indian_engines(translator=FakeHindi("en", "hi", "en"))) as called:
        for fields, text in (
            ({}, "मेरा नंबर 42 है।"),
            ({"output_script": "fully-native", "numerals_format": "international"}, "मेरा नंबर 42 है।"),
            ({"numerals_format": "native"}, "मेरा नंबर ४२ है।"),
            ({"output_script": "roman"}, "mera nambar 42 hai."),
        ):
            assert (await called.post("/translate", **body("x", **fields))).json()["translated_text"] == text


async def test_a_translation_takes_its_turn_and_its_place() -> None:
    async with calling(limits={"sessions": 1}) as called:
        place = called.services.admission.enter()
        answer = await called.post("/translate", **body("Hello"))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
        place.leave()
        assert (await called.post("/translate", **body("Hello"))).status_code == 200


async def test_an_engine_that_hangs_does_not_keep_the_place() -> None:
    released = threading.Event()

    class FakeSlow(FakeTranslator):
        def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
            assert released.wait(60)
            return super().translate(pair, texts)

    async with calling(lambda: indian_engines(translator=FakeSlow("en", "hi")), limits={"session_s": 0.05}) as called:
        answer = await called.post("/translate", **body("Hello"))
        assert (answer.status_code, answer.json()["error"]["message"]) == (400, "session reached its limit of 0.05 s")
        released.set()
        assert called.services.admission.running == 0


@pytest.mark.parametrize(
    ("source", "target", "text", "written"),
    [
        ("hi-IN", "en-IN", "मेरा नाम", "mera nam"),
        ("auto", "en-IN", "मेरा नाम", "mera nam"),
        ("en-IN", "hi-IN", "mera naam", "मेरा नाम"),
        ("hi-IN", "ta-IN", "नमस्ते", "நமஸ்தே"),
        ("hi-IN", "hi-IN", "मेरा नाम", "मेरा नाम"),
        ("en", "od-IN", "naam", "ନାମ୍"),
    ],
)
async def test_transliteration(source: str, target: str, text: str, written: str) -> None:
    async with calling() as called:
        fields = {"source_language_code": source, "target_language_code": target, "spoken_form": True}
        found = (await called.post("/transliterate", **body(text, **fields))).json()
        assert found["transliterated_text"] == written
        assert found["source_language_code"] == {"auto": "hi-IN", "en": "en-IN"}.get(source, source)
        assert found["request_id"]


async def test_transliteration_with_digits_and_where_there_is_none() -> None:
    async with calling() as called:
        found = (await called.post("/transliterate", **body("mera 42", numerals_format="native"))).json()
        assert found["transliterated_text"] == "मेरा ४२"
        answer = await called.post("/transliterate", **body("mera", target_language_code="ur-IN"))
        assert (answer.status_code, "ur-IN" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("text", "language", "script"),
    [("How are you?", "en-IN", "Latn"), ("ଆପଣ କେମିତି", "od-IN", "Orya"), ("42", None, None), ("你好", None, None)],
)
async def test_which_language(text: str, language: str | None, script: str | None) -> None:
    async with calling() as called:
        found = (await called.post("/text-lid", json={"input": text})).json()
        assert found.pop("request_id")
        assert found == {"language_code": language, "script_code": script}


WRONG: list[tuple[str, dict[str, Any], int, str]] = [
    ("/translate", body("x" * (MAX_CHARACTERS + 1)), 400, "at most 1000"),
    ("/translate", body("x" * (MOST[SARVAM] + 1), model=SARVAM), 400, "at most 2000"),
    ("/transliterate", body("x" * (MAX_CHARACTERS + 1)), 400, "at most 1000"),
    ("/text-lid", body("x" * (MAX_CHARACTERS + 1)), 400, "at most 1000"),
    ("/translate", body("x" * 70_000), 413, "larger than"),
    ("/translate", body("x", model="gpt"), 400, "unknown model 'gpt'"),
    ("/translate", body("x", output_script="greek"), 400, "unknown output_script 'greek'"),
    ("/translate", body("x", numerals_format="roman"), 400, "unknown numerals_format 'roman'"),
    ("/translate", body("x", source_language_code="xx-IN"), 400, "unknown source_language_code 'xx-IN'"),
    ("/translate", body("x", target_language_code="auto"), 400, "target_language_code cannot be detected"),
    ("/translate", body("x", target_language_code="ml-IN"), 400, "no translator for en→ml is installed"),
    ("/translate", body("x", target_language_code=None), 422, "target_language_code is missing"),
    ("/translate", body("x", source_language_code=None), 422, "source_language_code is missing"),
    ("/translate", body(" \n"), 422, "input is missing, or empty"),
    ("/text-lid", {"json": {}}, 422, "input is missing, or empty"),
    ("/text-lid", {"json": {"input": 5}}, 400, "body cannot be read"),
    ("/text-lid", {"content": b"{"}, 400, "body is not JSON"),
    ("/text-lid", {}, 400, "body is not JSON"),
]


@pytest.mark.parametrize(("path", "request_", "status", "told"), WRONG)
async def test_what_is_wrong_is_told(path: str, request_: dict[str, Any], status: int, told: str) -> None:
    async with calling() as called:
        answer = await called.post(path, **request_)
        error = answer.json()["error"]
        assert answer.status_code == status
        assert error["code"] == ("unprocessable_entity_error" if status == 422 else "invalid_request_error")
        assert told in error["message"]


@pytest.mark.parametrize("path", ["/translate", "/transliterate", "/text-lid"])
async def test_keys(path: str) -> None:
    async with calling(api_keys=["secret-one"]) as called:
        answer = await called.post(path, **body("Hello"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "invalid_api_key_error")
        good = {"api-subscription-key": "secret-one"}
        assert (await called.post(path, **body("Hello"), headers=good)).status_code == 200


async def test_a_model_of_2000_characters_takes_them() -> None:
    async with calling() as called:
        answer = await called.post("/translate", **body("x" * MOST[SARVAM], model=SARVAM))
        assert answer.json()["translated_text"] == "<hi> " + "x" * MOST[SARVAM]
