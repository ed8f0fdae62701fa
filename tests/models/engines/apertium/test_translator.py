"""The Apertium engine: its stream format and its mode files with fake programs, then the real ones."""

import asyncio
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.base import LanguagePair
from dragoman.models.engines.apertium.nul_pipeline import NulPipeline
from dragoman.models.engines.apertium.translator import (
    ApertiumTranslator,
    clean,
    escape,
    find_modes,
    read_mode,
    unescape,
)
from dragoman.models.errors import EngineFailed, EngineUnavailable
from dragoman.models.processes.piped_programs import ProgramsBroken
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from tests.fakes.engines import FakeDetector, FakeRecognizer
from tests.waiting import PATIENCE_S

EN_ES = LanguagePair("en", "es")
AWKWARD = st.text(
    st.sampled_from("\\[]{}^$/@<>~#*+_.-\n\r\t '\u2019aé1\u00a0\u2028\U0001f600") | st.characters(), max_size=60
)


@given(AWKWARD)
def test_unescape_undoes_escape(text: str) -> None:
    sendable = clean(text)
    assert unescape(escape(sendable)) == sendable


@given(AWKWARD)
def test_no_special_character_stays_bare(text: str) -> None:
    stream = escape(clean(text)).replace("\\\\", "")
    for special in "^$@<>{}":
        assert stream.count(special) == stream.count("\\" + special)


@pytest.mark.parametrize(
    ("text", "stream"),
    [
        ("", "[].[]"),
        ("a/b [c] $5", r"a[/]b \[c\] \$5[].[]"),
        ("one two", "one two[].[]"),
        ("one  two\nthree ~el", "one[  ]two[\n]three[ ~]el[].[]"),
        ("one\n\ntwo", "one[].[][\n\n]two[].[]"),
        # A full stop that ends a sentence is no part of an abbreviation; one of an abbreviation is.
        ("no.", "no[]."),
        ('Coffee? No. He said "no."', 'Coffee? No[]. He said "no[]."'),
        ("no.\n\nNo. 5 at 9 p.m.", "no[].[\n\n]No. 5 at 9 p.m."),
        ("no?", "no?"),
        ("Fig. 3 in art. 5", "[Fig.] 3 in [art.] 5[].[]"),
        ("The fig. 5 tree", "The [fig.] 5 tree[].[]"),
    ],
)
def test_escape(text: str, stream: str) -> None:
    assert escape(text) == stream
    assert unescape(stream) == text


def test_unescape_closes_the_gaps_of_the_rules() -> None:
    assert unescape("es  allí[  ]ya.[]") == "es allí  ya"


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        ("J'insére/insère la clef", "J'insère la clef"),
        ("(can't\\/cannot go) a[/]b", "(cannot go) a/b"),
        ("a/b/c", "c"),
    ],
)
def test_unescape_leaves_one_of_two_variants(stream: str, text: str) -> None:
    assert unescape(stream) == text


def test_clean() -> None:
    assert clean("a\0b\uffffc\ufffed\ud800e") == "abcde"
    assert clean("don\u2019t \u2018so\u2019 \u201cquote\u201d") == "don't 'so' \u201cquote\u201d"


@pytest.fixture
def modes_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for mode files; `lt-proc` is the only program there is, and it echoes."""
    programs = tmp_path / "bin"
    programs.mkdir()
    install(programs / "lt-proc", "while piece := sys.stdin.buffer.read1(): emit(piece)")
    monkeypatch.setenv("PATH", str(programs))
    modes = tmp_path / "modes"
    modes.mkdir()
    return modes


def install(program: Path, body: str) -> None:
    """Write a Python script that has `emit` to write bytes at once."""
    start = f"#!{sys.executable} -SE\nimport sys, time\n"
    program.write_text(f"{start}def emit(b): sys.stdout.buffer.write(b); sys.stdout.buffer.flush()\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def fake(modes_dir: Path, body: str, *, modes: tuple[str, ...] = ("eng-spa",), **limits: float) -> ApertiumTranslator:
    """An engine of these modes whose only program does what `body` says; its argument is the mode's name.

    It has as much time as a test has, unless `limits` say less.
    """
    for mode in modes:
        (modes_dir / f"{mode}.mode").write_text(f"lt-proc {mode}")
    install(modes_dir.parent / "bin" / "lt-proc", body)
    return ApertiumTranslator(modes_dir=modes_dir, **{"timeout_s": PATIENCE_S, "start_timeout_s": PATIENCE_S, **limits})


def test_mode_is_read(modes_dir: Path) -> None:
    data = modes_dir / "with space|and pipe.bin"
    data.touch()
    mode = modes_dir / "es-pt.mode"
    mode.write_text(f"lt-proc -g $2 '{data}' | lt-proc $1 '{data}'|lt-proc -p\n")
    program = str(modes_dir.parent / "bin" / "lt-proc")
    assert read_mode(mode) == [
        [program, "-z", "-g", str(data)],
        [program, "-z", "-n", str(data)],
        [program, "-z", "-p"],
    ]


@pytest.mark.parametrize("options", ["", "-b ", "-n "])
def test_a_transfer_that_looks_up_words_gets_them_looked_up_before(modes_dir: Path, options: str) -> None:
    for name in ("apertium-transfer", "lt-proc"):
        install(modes_dir.parent / "bin" / name, "")
    rules, compiled, dictionary = (modes_dir / name for name in ("a.t1x", "a.t1x.bin", "a b.autobil.bin"))
    for path in (rules, compiled, dictionary):
        path.touch()
    mode = modes_dir / "es-pt.mode"
    mode.write_text(f"apertium-transfer {options}'{rules}' '{compiled}' {'' if options else repr(str(dictionary))}")
    transfer, lookup = (str(modes_dir.parent / "bin" / name) for name in ("apertium-transfer", "lt-proc"))
    own = [] if options else [[lookup, "-z", "-b", str(dictionary)]]
    assert read_mode(mode) == [*own, [transfer, "-z", *(options or "-b").split(), str(rules), str(compiled)]]


@pytest.mark.parametrize(
    "commands", ["lt-proc | rm -r", "lt-proc | lrx-proc", "lt-proc /no/such/data.bin", "", "lt-proc |", "lt-proc 'open"]
)
def test_mode_that_cannot_be_run_is_not_offered(modes_dir: Path, commands: str) -> None:
    (modes_dir / "es-pt.mode").write_text(commands)
    assert find_modes(modes_dir) == {}


def test_pairs_come_from_mode_names(modes_dir: Path) -> None:
    names = "eng-spa spa-eng es-pt es-pt_BR eco-es-fr fr-es eco-fr-es spa-eng_US por-xyz es-pt-morph README"
    for name in names.split():
        (modes_dir / f"{name}.mode").write_text(f"lt-proc {name}")
    assert {str(pair): commands[0][-1] for pair, commands in find_modes(modes_dir).items()} == {
        "en→es": "eng-spa",
        "es→en": "spa-eng",
        "es→pt": "es-pt",
        "es→fr": "eco-es-fr",
        "fr→es": "fr-es",
    }


def test_nothing_installed(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="apt-get install apertium apertium-eng-spa") as caught:
        ApertiumTranslator(modes_dir=tmp_path / "absent")
    assert caught.value.engine == "apertium"


def test_unknown_pair(modes_dir: Path) -> None:
    engine = fake(modes_dir, "")
    with pytest.raises(EngineFailed, match="en→de is not installed"):
        engine.translate(LanguagePair("en", "de"), ["hello"])
    engine.close()


@pytest.mark.parametrize(
    ("body", "start_s", "reason"),
    [
        ("time.sleep(3600)", 0.1, "no answer within"),
        ("sys.exit(3)", PATIENCE_S, "lt-proc with status 3"),
        ("emit(b'[1]x' + bytes(1)); time.sleep(3600)", PATIENCE_S, "another question"),
    ],
)
def test_a_failure_that_stays_is_reported(modes_dir: Path, body: str, start_s: float, reason: str) -> None:
    engine = fake(modes_dir, body, start_timeout_s=start_s, patience_s=0.4)
    with pytest.raises(EngineFailed, match=reason):
        engine.translate(EN_ES, ["hello"])
    engine.close()


class FakeClock:
    """Time that passes in pauses only, and the event that those wait for, which never happens."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def now(self) -> float:
        return sum(self.pauses)

    def wait(self, pause_s: float) -> bool:
        self.pauses.append(pause_s)
        return False


DIES = """
import os
started = len(os.listdir({marks!r}))
open(os.path.join({marks!r}, str(time.monotonic_ns())), "w").close()
while piece := sys.stdin.buffer.read1():
    if started < {deaths} and b"hello" in piece: os.kill(os.getpid(), 9)
    emit(piece)
"""


def dying(modes_dir: Path, deaths: int) -> str:
    """A program that is killed over its text so many times, each time that it is started anew."""
    marks = modes_dir.parent / "marks"
    marks.mkdir()
    return DIES.format(marks=str(marks), deaths=deaths)


def test_a_text_is_tried_again_until_the_programs_live(modes_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, clock = fake(modes_dir, dying(modes_dir, deaths=6)), FakeClock()
    with monkeypatch.context() as patched:
        patched.setattr(engine._pipelines[EN_ES], "_closed", clock)
        assert engine.translate(EN_ES, ["hello"]) == ["hello"]
    assert clock.pauses == [0, 0.05, 0.1, 0.2, 0.4, 0.8, 1]
    engine.close()


def test_patience_ends(modes_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: NulPipeline) -> None:
        raise ProgramsBroken("a program ended: lt-proc with status -9")

    engine, clock = fake(modes_dir, "", patience_s=10), FakeClock()
    with monkeypatch.context() as patched:
        patched.setattr(engine._pipelines[EN_ES], "_closed", clock)
        patched.setattr("dragoman.models.processes.patience.time.monotonic", clock.now)
        patched.setattr(NulPipeline, "start", fails)
        with pytest.raises(EngineFailed, match="en→es: a program ended"):
            engine.translate(EN_ES, ["hello"])
    assert clock.pauses == [0, 0.05, 0.1, 0.2, 0.4, 0.8, *[1] * 8]
    assert clock.now() < 10


def test_closing_ends_the_tries(modes_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.models.processes.patience.FIRST_PAUSE_S", 1800.0)
    engine = fake(modes_dir, "sys.exit(3)", patience_s=3600)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(engine.translate, EN_ES, ["hello"])
        engine.close()
        with pytest.raises(EngineFailed):
            asked.result()


STUCK = """
while piece := sys.stdin.buffer.read1():
    if sys.argv[2] == "eng-spa" and b"hello" in piece: time.sleep(60)
    emit(piece)
"""


async def test_a_pair_that_hangs_holds_up_no_other(modes_dir: Path) -> None:
    translator = fake(modes_dir, STUCK, modes=("eng-spa", "eng-fra", "fra-eng"), timeout_s=3600)
    loaded = engines(translator)
    hanging = [asyncio.create_task(loaded.translate("en", "es", "hello", f"stuck {number}")) for number in range(20)]
    try:
        for number in range(10):
            assert await loaded.translate("en", "fr", f"hello {number}", "well") == f"hello {number}"
            assert await loaded.translate("fr", "en", f"hello {number}", "well") == f"hello {number}"
        while loaded.depths["apertium"] != 19:  # noqa: ASYNC110  (a queue has no such event, nor needs one)
            await asyncio.sleep(0)
        assert not any(task.done() for task in hanging)
    finally:
        for task in hanging:
            task.cancel()
        translator._pipelines[EN_ES]._closed.set()
        translator._pipelines[EN_ES].programs.kill()
        await asyncio.to_thread(loaded.close)


def engines(translator: ApertiumTranslator) -> Engines:
    return Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(lambda _: "hello")],
        translators=[translator],
        synthesizers=[],
        catalogue=VoiceCatalogue([]),
    )


def test_a_pair_that_does_not_start_keeps_no_other_from_it(modes_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    body = "if sys.argv[2] == 'eng-spa': sys.exit(3)\nwhile piece := sys.stdin.buffer.read1(): emit(piece)"
    engine = fake(modes_dir, body, modes=("eng-spa", "eng-fra"), patience_s=0.0)
    engine.warm(engine.pairs)
    assert "en→es: a program ended: lt-proc with status 3" in caplog.text
    assert engine._pipelines[LanguagePair("en", "fr")].programs.running
    assert engine.translate(LanguagePair("en", "fr"), ["one"]) == ["one"]
    with pytest.raises(EngineFailed, match="status 3"):
        engine.translate(EN_ES, ["one"])
    engine.warm([])
    engine.close()


def test_answer_of_another_question_reaches_nobody(modes_dir: Path) -> None:
    # The first process gives an answer too many, as some real programs do for U+FFFF; later ones behave.
    mark = modes_dir / "mark"
    body = f"""
import os
first = not os.path.exists({str(mark)!r})
open({str(mark)!r}, "w").close()
while piece := sys.stdin.buffer.read1():
    emit(b"secret[1]" + bytes(1) if first and b"[2]" in piece else piece)
"""
    engine = fake(modes_dir, body)
    assert engine.translate(EN_ES, ["one", "two"]) == ["one", "two"]
    engine.close()


def test_blanks_around_a_text_are_kept(modes_dir: Path) -> None:
    engine = fake(modes_dir, "while piece := sys.stdin.buffer.read1(): emit(b' ' + piece)")
    texts = ["", "  ", "\n one ", " two\n\nthree\t"]
    assert engine.translate(EN_ES, texts) == texts
    engine.close()


def test_closed_engine(modes_dir: Path) -> None:
    engine = fake(modes_dir, "time.sleep(3600)")
    engine.close()
    engine.close()
    with pytest.raises(EngineFailed, match="closed"):
        engine.translate(EN_ES, ["hello"])
