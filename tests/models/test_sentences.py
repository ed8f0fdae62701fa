"""Each case is a text with "|" where a sentence ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.sentences import full_stops, sentence_ends, split_sentences
from tests.costs import cpu_s

PLAIN = [
    "",
    "One only",
    "One.| Two?| Three!",
    'He said "stop."| Then he left.',
    "“Stop!” he said.| Nobody stopped.",
    "Is it (really?)| Yes.",
    "Really?!| Yes.",
    "It was his.| “Mine,” she said.",
]
ABBREVIATIONS = [
    "Dr. Who met Mr. Smith.| They talked.",
    "I saw J. R. R. Tolkien and J. Smith yesterday.| Both were well.",
    "Ask Prof. Brown, Gov. Lee or Sen. King.",
    "The U.S. Army left at 5 p.m. yesterday.| It was late.",
    "We live in the U.S.| They live in Spain.",
    "We start at 9 a.m.| Then we eat.",
    "You and I.| Then the others.",
    "Take fruit, e.g. Apples, i.e. Something sweet.",
    "Bread, butter, etc. are here.| Bread, butter, etc.| But no cheese.",
    "Martin Luther King Jr. spoke.| He spoke well.",
    "He drank approx. five.| It was No. 5, vol. 3, p. 12.",
    "He said no.| Then he left.",
    "El dr. Pérez y la Sra. López viven en EE. UU. desde ayer.| El señor no.",
    "Vive en EE. UU.| El resto no.",
    "M. Dupont et Mme. Martin sont là.| Mlle. Petit aussi.",
    "Das ist z. B. Wasser, d. h. H2O, bzw. Eis.| Gut.",
    "Das ist z.B. Wasser, u. a. Eis usw.| Dann gehen wir.",
    "Herr Dr. med. Müller wohnt in St. Gallen.| Er ist nett.",
    "Это т.е. вода.| Он жил в 1900 г. Москве.",
    "Это был я.| Потом ушёл.",
    "Det var hon.| Sedan gick vi, t.ex. Hem.",
    "It opens in Dec. 2024.| They met on Oct. 5.| He went out.| 5 people came.",
    "Fuimos al mar.| 5 barcos.| El dic. 5 no.",
    "Avenue: av. Foch, par ex. Paris, por ex. Lisboa.",
]
NUMBERS = [
    "It costs 3.50 now.| Really.",
    "It costs 3.5.| Really.",
    "I have 12.| You have 10.",
    "1. First of all this.| 2. Then that.",
    "Er kam am 3. Mai und blieb bis zum 5. Tag.| Dann ging er.",
    "Im 19. Jahrhundert, im 2. Weltkrieg.| Die 4. Reihe.",
    "The year was 1990.| August came.",
    "Version 2.0 is out.| See example.com for more.| Bye.",
]
DOTS = [
    "Well... maybe.| Yes.",
    "And then… he left.| Good.",
    "And then…| He left.",
    "...and he left.| Good.",
    "... Well.| Good.",
]
UNCASED = ["so we went home.| then we slept.| it was good...| yes", "no e.g. nothing.| yes"]
SCRIPTS = [
    "¿Qué?| ¿Cómo estás?| ¡Bien!| ¿y tú?| Hola.",
    "« Bonjour. »| Il partit.| « Oui ! »| Elle aussi.",
    "„Halt.“| Er blieb stehen.| »Gut.«| Er ging.",
    "Er sagte: „Gut.“| „Nein“, sagte sie.",
    "你好。|再见。",
    "他说：“你好。”|然后走了。|真的吗？|是！",
    "你好吗?|我很好!|是的",
    "今日は。|「いい天気です。」と言った。|はい。",
    "「本当？」|はい。",
    "圆周率是３．５吗？|是．|好",
    "مرحبا.| كيف حالك؟| أنا بخير.",
    "वह गया। |वह आया॥ |ठीक",
    "वह गया।|वह आया",
    "یہ ہے۔| وہ تھا۔| اچھا",
    "Πώς είσαι;| Καλά· ευχαριστώ.",
    "Բարեւ։| Ոնց ես",
]
EVERY = [*PLAIN, *ABBREVIATIONS, *NUMBERS, *DOTS, *UNCASED, *SCRIPTS]


@pytest.mark.parametrize("marked", EVERY)
def test_where_sentences_end(marked: str) -> None:
    text = marked.replace("|", "")
    assert split_sentences(text) == [sentence.strip() for sentence in marked.split("|") if sentence]


@pytest.mark.parametrize("marked", EVERY)
def test_a_sentence_is_not_split_again(marked: str) -> None:
    for sentence in split_sentences(marked.replace("|", "")):
        assert split_sentences(sentence) == [sentence]


def test_an_end_without_words_behind_it_is_not_counted() -> None:
    assert sentence_ends("All of it.") == []
    assert sentence_ends("All of it.  ") == []
    assert sentence_ends("All. Of it.") == [4]


@pytest.mark.parametrize(
    ("text", "stopped"),
    [
        ("", ""),
        ("no", "no"),
        ("No.", "No|."),
        ("No... ", "No|... "),
        ('He said "no." Then he left.', 'He said "no|." Then he left|.'),
        ("No. 5 at 5 p.m. No. Yes? No.", "No. 5 at 5 p.m. No|. Yes? No|."),
        ("In the U.S.", "In the U.S."),
        ("Pears, etc.", "Pears, etc."),
        ("We saw Mr. No.", "We saw Mr. No|."),
        ("the dec.", "the dec|."),
    ],
)
def test_full_stops_that_are_no_part_of_a_word(text: str, stopped: str) -> None:
    assert [text[:at] for at in full_stops(text)] == [
        stopped[:at].replace("|", "") for at, letter in enumerate(stopped) if letter == "|"
    ]


@given(st.text(alphabet="abAB .!?…\"'\n1»。", max_size=60) | st.text(max_size=60))
def test_nothing_is_lost(text: str) -> None:
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


@pytest.mark.parametrize("part", ["a.", "A. ", ". ", "1. ", "… » ", "!?", "。"])
def test_a_text_costs_what_its_length_is(part: str) -> None:
    short, long = (cpu_s(lambda count=count: split_sentences(part * count)) for count in (5_000, 40_000))
    assert long < 3 * 8 * short + 0.05  # with the square of the length it would be 64 times


@pytest.mark.parametrize("part", [".", "!", "…", ".!", '."', ".»", " ", "。", "a."])
def test_a_row_of_marks_is_looked_at_once(part: str) -> None:
    def look(length: int) -> None:
        text = part * (length // len(part)) + "a"
        split_sentences(text)
        full_stops(text)

    short, long = (cpu_s(lambda length=length: look(length)) for length in (8_192, 65_536))
    assert long < 3 * 8 * short + 0.05
