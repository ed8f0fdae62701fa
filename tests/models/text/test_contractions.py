"""English contractions in full."""

import pytest

from dragoman.models.text.contractions import contractions_written_out
from dragoman.models.text.written_out import written_out


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("You mustn't drink the water.", "You must not drink the water."),
        ("You needn't go.", "You do not need to go."),
        ("She needn't.", "She does not need."),
        ("They oughtn't go, oughtn't to go.", "They should not go, should not go."),
        ("I daren't.", "I do not dare."),
        ("He daren't say it.", "He does not dare to say it."),
        ("It mightn't work, it mayn't.", "It might not work, it may not."),
        ("That'll do. This'll work. There'll be food.", "That will do. This will work. There will be food."),
        ("What've you got? Nobody've come.", "What have you got? Nobody has come."),
        ("Who'll come? Maria'll go.", "Who will come? Maria will go."),
        ("I couldn't've, it must've been", "I could not have, it must have been"),
        ("I'd've come. They'd've come.", "I would have come. They would have come."),
        ("I gotta go. She's gotta go. You've gotta go.", "I have to go. She has to go. You have to go."),
        ("He ain't seen it. We ain't got time.", "He has not seen it. We have not got time."),
        ("'Tis true, 'twas you.", "It is true, it was you."),
        ("Tell 'em, 'cause I know.", "Tell them, because I know."),
        ("C'mon, lemme see, ma'am.", "Come on, let me see, madam."),
        ("D'you know what i'm doin'?", "Do you know what I'm doing?"),
    ],
)
def test_what_translators_do_not_know(text: str, full: str) -> None:
    assert contractions_written_out(text) == full


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("Where'd he go?", "Where did he go?"),
        ("How'd it go?", "How did it go?"),
        ("Why'd the man leave?", "Why did the man leave?"),
        ("Where'd he gone?", "Where had he gone?"),
        ("What'd you like?", "What would you like?"),
        ("What'd it be like?", "What would it be like?"),
        ("What'd happen?", "What would happen?"),
        ("Who'd do that?", "Who would do that?"),
        ("Who'd done that?", "Who had done that?"),
        ("Who'd you see?", "Who did you see?"),
        ("There'd already been one.", "There had already been one."),
        ("That'd never work.", "That would never work."),
        ("Anna'd better go.", "Anna had better go."),
        ("The king'd fled.", "The king had fled."),
    ],
)
def test_had_would_or_did(text: str, full: str) -> None:
    assert contractions_written_out(text) == full


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("Mustn't I go?", "Must I not go?"),
        ("Needn't he go?", "Does he not need to go?"),
        ("MUSTN'T", "MUST NOT"),
        ("'TIS", "IT IS"),
        ("No, Where'd", "No, Where did"),
    ],
)
def test_the_case_and_the_beginning_of_a_sentence(text: str, full: str) -> None:
    assert contractions_written_out(text) == full


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I'm here, I don't know, you can't, they won't, she'll, he'd, it's, we've, could've.",
        "John's dogs' bones and O'Brien's car; the '90s.",
        "He said 'cause' and 'round'.",
        "gottage kindase",
    ],
)
def test_the_usual_ones_stay(text: str) -> None:
    assert contractions_written_out(text) == text


def test_other_languages_stay() -> None:
    assert written_out("mustn't", "fr") == "mustn't"
    assert written_out("mustn't", "en") == "must not"
