"""The Apertium that is installed here: same texts as its own command, no leftovers, no way to get out of step."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import LanguagePair
from dragoman.models.engines.apertium.translator import ApertiumTranslator
from tests.waiting import until

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(shutil.which("apertium") is None, reason="Apertium is not installed"),
]

EN_ES = LanguagePair("en", "es")
ES_PT = LanguagePair("es", "pt")

SENTENCES = {
    "eng-spa": [
        "Hello, how are you?",
        "The house of my friend is big and I don't like it.",
        "We've never been there, John's car isn't red; it's blue...",
        "He said: \"come here!\" — and the 'dog' came.",
        "He paid $5 (50%) for 1,000 copies of a/b on 2024-01-02 at 12:30.",
        "[twice] {x} <y> ^up$ \\ back @home #house *house #1",
        "a ~5 ~el ~the house, a_b +c",
        "supercalifrag is 😀 a café",
        "one line\nand another\n\nand a paragraph",
        "",
        "   ",
        "he wants to. " + "The house of my friend is big and I don't like it. " * 98,
    ],
    "spa-eng": ["El coche de Juan no es rojo, ¿verdad?", "¡Dímelo! Xyzzyq"],
    "es-pt": ["Hola, ¿cómo estás? No lo sé; dímelo.", "un ~el ~o de la del a él @casa #casa *perro"],
    "pt-es": ["Dá-lhe o livro, não é?", "água-d'oeste à noite"],
    "es-fr": ["El hombre vino con el amigo de la escuela.", "Se lo dije: «ven aquí»"],
    "fr-es": ["L'homme n'est pas là.", "Qu'est-ce que c'est ? Aujourd'hui j'ai faim."],
}
TWO_LETTERS = {"eng": "en", "spa": "es"}


@pytest.fixture(scope="module")
def engine() -> Iterator[ApertiumTranslator]:
    translator = ApertiumTranslator()
    yield translator
    translator.close()


def programs(engine: ApertiumTranslator, pair: LanguagePair) -> list[int]:
    return engine._pipelines[pair].programs.process_ids


def plain(text: str) -> str:
    """Without the blanks that the rules add, which the command shows."""
    return "\n".join(" ".join(line.split()) for line in text.strip().split("\n"))


@pytest.mark.parametrize("mode", SENTENCES)
def test_same_as_the_command(engine: ApertiumTranslator, mode: str) -> None:
    source, target = mode.split("-")
    pair = LanguagePair(TWO_LETTERS.get(source, source), TWO_LETTERS.get(target, target))
    if pair not in engine.pairs:
        pytest.skip(f"{mode} is not installed")
    for text, ours in zip(SENTENCES[mode], engine.translate(pair, SENTENCES[mode]), strict=True):
        command = subprocess.run(["apertium", "-u", mode], input=text.encode(), capture_output=True, check=True)
        assert plain(ours) == plain(command.stdout.decode()), text


def translated(engine: ApertiumTranslator, source: str, target: str, text: str) -> str:
    pair = LanguagePair(source, target)
    if pair not in engine.pairs:
        pytest.skip(f"{pair} is not installed")
    return engine.translate(pair, [text])[0]


@pytest.mark.parametrize(
    ("text", "spanish"),
    [
        ("No.", "No."),
        ("No", "No"),
        ("no", "No"),
        ("NO.", "No."),
        ("No, no, no.", "No, no, no."),
        ("The answer is no.", "La respuesta es no."),
        ("The answer is no", "La respuesta es no"),
        ('He said "no."', 'Dijo "no."'),
        ("Do you want coffee? No.", "Quieres café? No."),
        ("Do you want coffee? No. I said no. Thanks", "Quieres café? No. Dije no. Gracias"),
        ("the dec.", "El dec."),
        ("No. 5 is alive", "Núm. 5 es vivo"),
        ("He lives in the U.S.", "Vive en los EE.UU."),
        ("Fig. 3 shows it.", "Fig. 3 lo asoma."),
        ("The Dept. of Energy", "El Departamento de Energía"),
        ("on Sat. we go", "El sábado vamos"),
    ],
)
def test_the_end_of_a_sentence_is_no_abbreviation(engine: ApertiumTranslator, text: str, spanish: str) -> None:
    assert translated(engine, "en", "es", text) == spanish


@pytest.mark.parametrize(
    ("source", "target", "text", "expected"),
    [
        ("es", "en", "Fuimos al mar.", "We were to the sea."),
        ("es", "fr", "Fuimos al mar", "Nous avons été à la mer"),
        ("es", "fr", "El núm. 5 es bueno", "Le nombre 5 est bon"),
        ("pt", "es", "O sol, out.", "El sol, out."),
        ("fr", "es", "Voir vol. 2 ici", "Ver volumen 2 aquí"),
    ],
)
def test_nor_is_it_in_other_languages(
    engine: ApertiumTranslator, source: str, target: str, text: str, expected: str
) -> None:
    assert translated(engine, source, target, text) == expected


@pytest.mark.parametrize("text", ["She said no", "We live by the sea", "five min", "in the U.S", "I am", "the inc"])
def test_what_goes_in_without_a_full_stop_comes_out_without(engine: ApertiumTranslator, text: str) -> None:
    assert not translated(engine, "en", "es", text).rstrip().endswith(".")


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("You mustn't drink the water.", "No tienes que beber el agua."),
        ("You needn\u2019t go.", "No necesitas para ir."),
        ("They oughtn't go.", "No tendrían que ir."),
        ("I daren't.", "No oso."),
        ("There'll be food.", "habrá alimentario."),
    ],
)
def test_contractions(engine: ApertiumTranslator, text: str, negated: str) -> None:
    assert translated(engine, "en", "es", text) == negated


def test_of_two_variants_one_is_told(engine: ApertiumTranslator) -> None:
    assert translated(engine, "es", "fr", "Yo inserto la clave y/o 5 km/h") == "J'insère la clef et/ou 5 km/h"


def test_long_text(engine: ApertiumTranslator) -> None:
    (long,) = engine.translate(EN_ES, ["The house. " * 2000])
    assert long == "La casa. " * 2000


def test_marks_of_users_stay_and_marks_of_apertium_do_not(engine: ApertiumTranslator) -> None:
    (text,) = engine.translate(EN_ES, ["@ 5 # 6 * 7 xyzzyq"])
    assert text == "@ 5 # 6 * 7 xyzzyq"


def test_typographic_apostrophes(engine: ApertiumTranslator) -> None:
    straight = "I don't know, it's John's 'dog'"
    curly = "I don\u2019t know, it\u02bcs John\u2019s \u2018dog\u2019"
    assert engine.translate(EN_ES, [curly]) == engine.translate(EN_ES, [straight])


def test_spaces_of_the_rules_do_not_show(engine: ApertiumTranslator) -> None:
    assert engine.translate(EN_ES, ["I don't know"]) == ["No sé"]


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("\\[]{}^$/@<>~#*+_.\n '\u2019aé1\0\uffff") | st.characters(), max_size=40))
def test_no_text_breaks_the_programs(engine: ApertiumTranslator, text: str) -> None:
    engine.warm([ES_PT])
    before = programs(engine, ES_PT)
    (translated,) = engine.translate(ES_PT, [text])
    assert "\0" not in translated
    assert engine.translate(ES_PT, ["la casa"]) == ["a casa"]
    assert programs(engine, ES_PT) == before


def test_pairs_start_lazily_and_by_warm() -> None:
    translator = ApertiumTranslator()
    assert not any(programs(translator, pair) for pair in translator.pairs)
    translator.warm([ES_PT])
    assert [pair for pair in translator.pairs if programs(translator, pair)] == [ES_PT]
    translator.close()


@pytest.mark.parametrize("position", [0, 2, -1])
def test_killed_program_goes_unnoticed(engine: ApertiumTranslator, position: int) -> None:
    engine.warm([ES_PT])
    before = programs(engine, ES_PT)
    os.kill(before[position], signal.SIGKILL)
    assert engine.translate(ES_PT, ["la casa", "el perro"]) == ["a casa", "o cão"]
    assert not set(before) & set(programs(engine, ES_PT))


def test_hanging_program_is_replaced() -> None:
    translator = ApertiumTranslator(timeout_s=0.4)
    translator.warm([ES_PT])
    before = programs(translator, ES_PT)
    os.kill(before[1], signal.SIGSTOP)
    assert translator.translate(ES_PT, ["la casa"]) == ["a casa"]
    assert not [process_id for process_id in before if psutil.pid_exists(process_id)]
    translator.close()


def test_many_threads(engine: ApertiumTranslator) -> None:
    with ThreadPoolExecutor(4) as threads:
        numbers = list(threads.map(lambda n: engine.translate(ES_PT, [f"la casa {n}"])[0], range(40)))
    assert numbers == [f"a casa {n}" for n in range(40)]


def test_close_leaves_nothing() -> None:
    translator = ApertiumTranslator()
    translator.warm([ES_PT, EN_ES])
    process_ids = programs(translator, ES_PT) + programs(translator, EN_ES)
    assert len(process_ids) > 10
    translator.close()
    translator.close()
    assert not [process_id for process_id in process_ids if psutil.pid_exists(process_id)]


SERVER = """
import sys, time
from dragoman.models.engines.apertium.translator import ApertiumTranslator
from dragoman.models.base import LanguagePair
engine = ApertiumTranslator()
engine.warm([LanguagePair("es", "pt"), LanguagePair("pt", "es")])
print(*(i for p in engine._pipelines.values() for i in p.programs.process_ids), flush=True)
time.sleep(3600)
"""


def test_killed_server_leaves_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        process_ids = [int(word) for word in server.stdout.readline().split()]
        server.kill()
    assert len(process_ids) >= 12
    until(lambda: not any(map(runs, process_ids)), "nothing is left behind")


def runs(process_id: int) -> bool:
    """Whether it is there and more than a name that nobody has reaped yet."""
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
