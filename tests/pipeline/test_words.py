"""What becomes of words on their way through a session: forms of letters and of numbers, marks that nobody says."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from dragoman.config.settings import Settings, load_settings
from dragoman.models.base import Batching, Hypothesis, LanguagePair, Samples, SynthesisRequest
from dragoman.models.plan import Plan, TargetWish
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Event, Translated, Translation
from dragoman.pipeline.items import GivenText
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session, SessionRequest
from dragoman.pipeline.timing import estimate_words, join_words, split_words
from tests.fakes.engines import FakeDetector, FakeRecognizer, FakeSynthesizer, fake_voice, s16, silence, tone

UTTERANCE = np.concatenate([tone(1.0), silence(1.0)])


class FakeCopier:
    """Copies the text, and remembers it."""

    name = "fake-copier"
    neural = False
    batching = Batching()

    def __init__(self, *pairs: str, made: Callable[[str], str] = str) -> None:
        self.pairs = frozenset(LanguagePair(pair[:2], pair[3:]) for pair in pairs)
        self.asked: list[str] = []
        self._made = made

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        self.asked += texts
        return [self._made(text) for text in texts]

    def close(self) -> None:
        pass


class FakeVoice(FakeSynthesizer):
    """Remembers what it is to say."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        self.said.append(request.text)
        return super().synthesize(request)


class Talk:
    """One session with fakes, and what came of it."""

    def __init__(self, *pairs: str, made: Callable[[str], str] = str, hear: str | Hypothesis = "") -> None:
        self.copier, self.voice = FakeCopier(*pairs, made=made), FakeVoice()
        self.events: list[Event] = []
        heard = hear if isinstance(hear, Hypothesis) else Hypothesis(hear, "en")
        recognizer = FakeRecognizer(lambda request: heard, ["en", "de"], ["de"])
        self.engines = Engines(
            name="fake",
            detector=FakeDetector(),
            recognizers=[recognizer],
            translators=[self.copier],
            synthesizers=[self.voice],
            catalogue=VoiceCatalogue([fake_voice(code) for code in sorted(FakeSynthesizer.languages)]),
        )

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Translation)]

    async def run(
        self, plan: Plan, *given: GivenText, audio: Samples | None = None, settings: Settings | None = None
    ) -> None:
        offload = Offload()
        request = SessionRequest(pcm(16_000), pcm(24_000), plan, latency="quality")
        session = Session(
            request, self.engines, settings or load_settings(), offload, session_id="s", emit=self.events.append
        )
        running = asyncio.create_task(session.run())
        try:
            for text in given:
                session.say(text)
            if audio is not None:
                await session.feed(s16(audio))
            await session.end()
            await running
        finally:
            running.cancel()
            offload.close()
            await asyncio.to_thread(self.engines.close)


def into(talk: Talk, target: str, source: str = "en") -> Plan:
    return talk.engines.plan(source=source, targets=[TargetWish(target)])


async def test_numbers_are_in_the_targets_form_before_the_voice_speaks() -> None:
    talk = Talk("en-fr", hear="They sold 35,400 cars for $5.99.")
    await talk.run(into(talk, "fr"), audio=UTTERANCE)
    assert talk.texts == ["They sold 35\u202f400 cars for 5,99\u00a0$."]
    assert talk.voice.said == ["They sold 35400 cars for 5,99\u00a0$."]


async def test_numbers_pass_through_a_third_language() -> None:
    talk = Talk("en-es", "es-fr", hear="35,400 of 1.5")
    await talk.run(into(talk, "fr"), audio=UTTERANCE)
    assert talk.copier.asked == ["35,400 of 1.5", "35.400 of 1,5"]
    assert talk.texts == ["35\u202f400 of 1,5"]


async def test_numbers_of_a_term_are_the_clients() -> None:
    talk = Talk("en-es", hear="Buy the 1.5 model for 1.5 dollars.")
    plan = talk.engines.plan(source="en", targets=[TargetWish("es", terms={"1.5 model": "modelo 1.5"})])
    await talk.run(plan, audio=UTTERANCE)
    assert talk.texts == ["Buy the modelo 1.5 for 1,5 dollars."]


async def test_the_recognisers_own_english_has_english_numbers() -> None:
    talk = Talk(hear=Hypothesis("Es sind 35.400 .", "de", english="There are 35.400 ."))
    await talk.run(into(talk, "en", "de"), audio=UTTERANCE)
    assert talk.texts == ["There are 35,400."]


async def test_what_a_translator_leaves_behind_reaches_nobody() -> None:
    talk = Talk("en-es", hear="Something.", made=lambda _: "el/la banco# de <unk> datos .")
    await talk.run(into(talk, "es"), audio=UTTERANCE)
    assert talk.texts == talk.voice.said == ["el banco de datos."]


async def test_a_translator_and_a_voice_get_composed_letters() -> None:
    talk = Talk("en-es", hear="cafe\u0301 𝐛𝐨𝐥𝐝")
    plan = talk.engines.plan(source="en", targets=[TargetWish("es", terms={"bold": "negrita"})])
    await talk.run(plan, GivenText("t", "e\u0301te\u0301", "es", translate=False), audio=UTTERANCE)
    assert talk.copier.asked == ["café Xq0x"]
    assert sorted(talk.texts) == ["café negrita", "été"]
    assert sorted(talk.voice.said) == ["café negrita", "été"]


@pytest.mark.parametrize("translate", [True, False])
async def test_given_texts_are_said_without_markdown(translate: bool) -> None:
    talk = Talk("en-es")
    language = "en" if translate else "es"
    given = GivenText("t", "# Title\n**Bold** and [a link](http://x.y) 😂.\n😂", language, translate=translate)
    await talk.run(talk.engines.plan(targets=[TargetWish("es")], hears=False), given)
    assert talk.texts == talk.voice.said == ["Title.", "Bold and a link."]
    assert [event.text_id for event in talk.events if isinstance(event, Translated)] == ["t"]


async def test_a_text_of_pictures_alone_is_done_at_once() -> None:
    talk = Talk()
    await talk.run(
        talk.engines.plan(targets=[TargetWish("es")], hears=False), GivenText("t", "😂", "es", translate=False)
    )
    assert talk.texts == []
    assert [event.text_id for event in talk.events if isinstance(event, Translated)] == ["t"]


async def test_markdown_stays_where_the_operator_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_SPEAK__PLAIN_TEXT", "false")
    talk = Talk()
    plan = talk.engines.plan(targets=[TargetWish("es")], hears=False)
    await talk.run(plan, GivenText("t", "**a**", "es", translate=False), settings=load_settings())
    assert talk.texts == ["**a**"]


def test_a_number_with_its_blanks_is_one_word() -> None:
    text = "Il a\tvendu 35\u202f400 voitures à 5,99\u00a0€.\u00a0"
    words = ["Il", "a", "vendu", "35\u202f400", "voitures", "à", "5,99\u00a0€.\u00a0"]
    assert split_words(text) == words
    assert split_words(" \u00a0 ") == []
    assert join_words(estimate_words(text, 0.0, 1.0), "fr") == "Il a vendu 35\u202f400 voitures à 5,99\u00a0€."
