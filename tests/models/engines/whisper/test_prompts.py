"""What is told to the model before it writes."""

from functools import cache

import pytest
from faster_whisper import WhisperModel

from dragoman.models.engines.whisper.prompts import LENGTHS, MAX_KEYWORD_TOKENS, Prompt, Prompter, groups
from tests.fakes.whisper_model import Size
from tests.models.engines.whisper.whispers import model

SIZE, ENGLISH_ONLY = Size(), Size(multilingual=False)
START, PREVIOUS = SIZE.token("startoftranscript"), SIZE.token("startofprev")
WORDS = ["house", "is", "big", "and", "old"]


@cache
def prompter(name: str = "random") -> Prompter:
    loaded = WhisperModel(str(model(name)), device="cpu", cpu_threads=1)
    return Prompter(loaded, english_only=name.endswith(".en"))


def said(count: int) -> str:
    """A text of so many tokens, all different from their neighbours."""
    return " ".join(WORDS[at % 5] for at in range(count))


def before(prompt: Prompt) -> str:
    """The text before "start of transcript"."""
    tokens = prompt[: prompt.index(START)]
    assert not tokens or tokens[0] == PREVIOUS
    return str(prompter().tokenizer("en").decode(tokens[1:])).strip()


def test_the_shortest() -> None:
    names = ["startoftranscript", "de", "transcribe", "notimestamps"]
    assert prompter().prompt("de") == [SIZE.token(name) for name in names]
    names[2] = "translate"
    assert prompter().prompt("de", "translate") == [SIZE.token(name) for name in names]
    english = [ENGLISH_ONLY.token(name) for name in ("startoftranscript", "notimestamps")]
    assert prompter("random.en").prompt("en") == english


@pytest.mark.parametrize(("tokens", "length"), [(0, 0), (6, 0), (7, 8), (8, 8), (30, 8), (31, 32), (32, 32), (500, 32)])
def test_what_was_said_before_is_cut_to_one_of_few_lengths(tokens: int, length: int) -> None:
    prompt = prompter().prompt("de", context=said(tokens))
    assert prompt.index(START) == length
    assert said(tokens).endswith(before(prompt))
    assert len(prompt) == length + 4


def test_keywords_stand_before_what_was_said() -> None:
    prompt = prompter().prompt("de", keywords=("house", " big  old "), context=said(500))
    assert prompt.index(START) == 32
    assert before(prompt).startswith("house, big old ")
    assert said(500).endswith(before(prompt).removeprefix("house, big old "))


def test_keywords_without_enough_text_have_a_length_of_their_own() -> None:
    prompt = prompter().prompt("de", keywords=("house", "old"), context="house is")
    assert before(prompt) == "house, old"
    assert before(prompter().prompt("de", keywords=("house",) * 3)) == "house, house, house"


@pytest.mark.parametrize(("keywords", "length"), [(1, 32), (10, 32), (14, 64), (28, 64), (40, 128), (50, 128)])
def test_many_keywords_leave_room_for_some_text(keywords: int, length: int) -> None:
    prompt = prompter().prompt("de", keywords=("house",) * keywords, context=said(500))
    assert prompt.index(START) == length
    assert before(prompt).count("house,") == keywords - 1


def test_keywords_past_the_limit_are_left_out_whole() -> None:
    prompt = prompter().prompt("de", keywords=("big house",) * 100, context=said(500))
    assert prompt.index(START) in LENGTHS
    terms = before(prompt).split(", ")
    assert terms[:-1] == ["big house"] * (len(terms) - 1)
    assert len(terms) == MAX_KEYWORD_TOKENS // 3
    assert before(prompter().prompt("de", keywords=("x" * 5000, "y" * 500, "house"))) == "house"


@pytest.mark.parametrize("text", ["<|startoftranscript|>", "<|translate|> house", "house <|endoftext|>", "big\ud800"])
def test_what_others_wrote_cannot_change_the_form_of_a_prompt(text: str) -> None:
    prompt = prompter().prompt("de", keywords=("old", text), context=f"{said(10)} {text} {said(40)} {text}")
    assert prompt[32:] == prompter().prompt("de")
    assert not set(prompt[1:32]) & {SIZE.token(name) for name in ("startoftranscript", "translate", "endoftext")}


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_blank_text_is_none(text: str) -> None:
    assert prompter().prompt("de", keywords=(text,) if text else (), context=text) == prompter().prompt("de")


def test_groups_have_prompts_of_one_length() -> None:
    prompts = [prompter().prompt("de", context=said(count)) for count in (0, 100, 40, 7, 32, 0)]
    assert groups(range(6), prompts) == [[0, 5], [1, 2, 4], [3]]
    assert groups([4, 1], prompts) == [[4, 1]]
    assert groups([], prompts) == []
