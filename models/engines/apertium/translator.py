"""Apertium: rule-based translation by programs of the operating system, kept running.

The stream format (which characters are special, superblanks in brackets) is described in
https://wiki.apertium.org/wiki/Apertium_stream_format, the flush at each NUL in
https://wiki.apertium.org/wiki/NUL_flush. The texts given are those of the command `apertium -u`, but for blanks
that the rules add at the edges or double inside, for sentence ends that it reads as abbreviations ("no." as "núm."),
and for words that it does not know (`models/text/written_out.py`).
"""

import logging
import os
import re
import shlex
import shutil
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dragoman.models.base import Batching, LanguagePair
from dragoman.models.engines.apertium.nul_pipeline import NulPipeline
from dragoman.models.errors import EngineFailed, EngineUnavailable
from dragoman.models.processes.patience import pauses
from dragoman.models.processes.piped_programs import ProgramsBroken
from dragoman.models.remedies import APERTIUM_PACKAGES
from dragoman.models.sentences import full_stops
from dragoman.models.text.written_out import written_out

_LOOKS_UP = 4
"""Words of a transfer command that names its rules, their compiled form and a bilingual dictionary."""

MODES_DIR = Path("/usr/share/apertium/modes")
"""Where the packages of Debian and of the Apertium project put their mode files."""

_log = logging.getLogger(__name__)

# The programs that were tried with -z (flush at each NUL) as their first option. A mode with any other is not
# offered: without the flush the first request would wait for ever.
_FLUSHING = frozenset({
    "apertium-interchunk", "apertium-postchunk", "apertium-pretransfer", "apertium-tagger", "apertium-transfer",
    "lrx-proc", "lt-proc",
})  # fmt: skip

_TWO_LETTERS = {
    "cat": "ca", "deu": "de", "eng": "en", "fra": "fr", "glg": "gl", "ita": "it", "nld": "nl", "por": "pt",
    "ron": "ro", "spa": "es",
}  # fmt: skip

# A mode's name is source-target; what else it may carry makes it a variant: eco-es-fr, spa-eng_US.
_MODE_NAME = re.compile(r"(\w+-)?(?P<source>[a-z]{2,3})(_\w+)?-(?P<target>[a-z]{2,3})(_\w+)?")

# What the programs take for an end: a NUL, and U+FFFF, which some read as end of file and give back as a NUL.
# Lone surrogates have no UTF-8.
_UNSENDABLE = re.compile("[\0\ufffe\uffff\ud800-\udfff]")
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\uff07", "'"))

_SPECIAL_OR_BLANKS = re.compile(
    r"(?P<special>[\\\[\]{}^$@<>])"
    r"|(?P<blanks>/|(?! (?![\s~]))[\s~]+|(?<![\w.-])(?i:figs?|arts?|ext|tel)\.(?=\s[0-9]))"
)
"""What has to be escaped, and what is to come through as it is: as blanks do, and slashes, or an abbreviation in front
of a number that the dictionaries take for another word ("Fig. 3" for the fruit) and that other languages write alike.
"""

_MARKUP = re.compile(
    r"\.\[\]|(?<![\w'’-])(?P<elided>(?i:[cdjlmnst]|(?:jus|lors|puis|quoi)?qu)['’])?(?:[\w'’-]++\\?/)+"
    r"|\\(?P<special>.)|\[(?P<blanks>[^\]]*)\]|(?P<doubled> {2,})",
    re.DOTALL,
)
"""What the stream format adds to a text. A slash outside of superblanks stands between two variants of a word, of which
the last one stays: where the dictionaries give two, it is the one that is listed for the word itself ("insère", not
"insére")."""

_ENDS_ALREADY = re.compile(r"[.!?…][\"'”’»)]*+$")


def clean(text: str) -> str:
    """`text` without what cannot be sent, with every apostrophe the typewriter's, which all dictionaries know."""
    return _UNSENDABLE.sub("", text).translate(_APOSTROPHES)


def escape(text: str) -> str:
    """`text` in Apertium's stream format, with a full stop at its end, if it has none, that `unescape` takes away.

    The full stop lets the rules see where the sentence ends. An empty superblank keeps each full stop that ends a
    sentence from the word before it: the dictionaries would read "no." as the abbreviation of "number". Blanks other
    than a single space travel in superblanks, untouched, and so do slashes, which part variants in what comes out, and
    the tilde, which generation would take for a mark of its own.
    """
    stops = full_stops(text)
    starts, ends = [0, *stops], [*stops, len(text)]
    stream = "[]".join(_escaped(text[start:end]) for start, end in zip(starts, ends, strict=True))
    return stream if _ENDS_ALREADY.search(text) else f"{stream}[].[]"


def _escaped(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        blanks: str | None = match["blanks"]
        if blanks is None:
            return "\\" + match["special"]
        ends = blanks.count("\n") > 1 and not _ENDS_ALREADY.search(text, max(0, match.start() - 1), match.start())
        return f"[].[][{blanks}]" if ends else f"[{blanks}]"

    return _SPECIAL_OR_BLANKS.sub(replace, text)


def unescape(stream: str) -> str:
    """The text of `stream`: without added full stops, superblanks opened, spaces doubled by the rules made one, and of
    two variants of a word the last."""
    return _MARKUP.sub(_without_markup, stream)


def _without_markup(match: re.Match[str]) -> str:
    return match["special"] or match["blanks"] or match["elided"] or (" " if match["doubled"] else "")


def read_mode(path: Path) -> list[list[str]]:
    """The commands of a mode file, ready to be kept running. Raises LookupError where one cannot be run here."""
    lexer = shlex.shlex(path.read_text(encoding="utf-8"), posix=True, punctuation_chars="|")
    lexer.whitespace_split = True
    lexer.commenters = ""
    commands: list[list[str]] = [[]]
    for word in lexer:
        if word == "|":
            commands.append([])
        elif word == "$1":
            commands[-1].append("-n")  # generate without marks at unknown words
        elif word != "$2":
            commands[-1].append(word)
    return [_runnable(part) for command in commands for part in _with_its_own_lookup(command)]


def _with_its_own_lookup(command: list[str]) -> list[list[str]]:
    """The command; where it is a transfer that would read the bilingual dictionary itself, the lookup in front of it.

    The command `apertium` does so since 3.9, whose transfer finds no word by itself (`apertium-wblank-mode`).
    """
    if command[:1] == ["apertium-transfer"] and len(command) == _LOOKS_UP and command[3].endswith("autobil.bin"):
        _, rules, compiled, dictionary = command
        return [["lt-proc", "-b", dictionary], ["apertium-transfer", "-b", rules, compiled]]
    return [command]


def _runnable(command: list[str]) -> list[str]:
    if not command or command[0] not in _FLUSHING:
        raise LookupError(f"program {command[:1]} is not known")
    program = shutil.which(command[0])
    if program is None:
        raise LookupError(f"program {command[0]} is not installed")
    missing = [argument for argument in command if argument.startswith("/") and not Path(argument).exists()]
    if missing:
        raise LookupError(f"{missing[0]} does not exist")
    return [program, "-z", *command[1:]]


def find_modes(modes_dir: Path) -> dict[LanguagePair, list[list[str]]]:
    """The commands of each pair that can be run here; a variant only where the plain mode is not."""
    named = []
    for path in modes_dir.glob("*.mode"):
        if match := _MODE_NAME.fullmatch(path.stem):
            source, target = match["source"], match["target"]
            pair = LanguagePair(_TWO_LETTERS.get(source, source), _TWO_LETTERS.get(target, target))
            named.append((path.stem != f"{source}-{target}", path, pair))
    found: dict[LanguagePair, list[list[str]]] = {}
    for _, path, pair in sorted(named):
        if pair in found or any(len(code) != 2 for code in pair):
            continue
        try:
            found[pair] = read_mode(path)
        except (LookupError, ValueError, OSError) as error:
            _log.warning("apertium mode %s is not offered: %s", path.name, error)
    return found


class _PairPipeline:
    """The running programs of one pair, and the lock that lets one text through at a time."""

    def __init__(
        self, pair: LanguagePair, commands: list[list[str]], timeout_s: float, start_timeout_s: float, patience_s: float
    ) -> None:
        self._pair = pair
        # The programs read UTF-8 only under a locale that says so; this one is always there.
        self.programs = NulPipeline(commands, {**os.environ, "LC_ALL": "C.UTF-8"})
        self._timeout_s = timeout_s
        self._start_timeout_s = start_timeout_s
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._serial = 0
        self._closed = threading.Event()

    def translate(self, text: str) -> str:
        body = text.strip()
        before, _, after = text.partition(body) if body else (text, "", "")
        with self._lock:
            return before + self._answer(body).strip() + after

    def _answer(self, text: str) -> str:
        """What the programs make of `text`. Where they break they are started anew, until patience ends."""
        failure = ProgramsBroken("closed")
        # Whatever ends programs again and again may be over in a moment: memory that is short, an upgrade.
        for pause_s in pauses(self._patience_s):
            if self._closed.wait(pause_s):
                break
            try:
                self._start()
                return self._ask(text, self._timeout_s)
            except ProgramsBroken as error:
                failure = error
                self.programs.close()
                _log.warning("apertium %s broke: %s", self._pair, error)
        raise EngineFailed("apertium", f"{self._pair}: {failure}") from failure

    def _start(self) -> None:
        if not self.programs.running:
            self.programs.start()
            self._ask("", self._start_timeout_s)  # answered when every dictionary is loaded

    def _ask(self, text: str, timeout_s: float) -> str:
        # The serial number comes back as it is. It proves that this answer is for this text, so that no fault of
        # the programs can hand one session another one's words.
        self._serial += 1
        tail = f"[{self._serial}]"
        answer = self.programs.exchange((escape(text) + tail).encode(), timeout_s).decode(errors="replace")
        if not answer.endswith(tail):
            raise ProgramsBroken("the answer belongs to another question")
        return unescape(answer.removesuffix(tail))

    def close(self) -> None:
        self._closed.set()  # who has the lock does not try again
        with self._lock:
            self.programs.close()


class ApertiumTranslator:
    """Translates by every Apertium pair that is installed (a `Translator`).

    `timeout_s` bounds one text, `start_timeout_s` the start of a pair's programs; both in seconds. Past them, and when
    a program ends, the programs are started anew and the text is tried again, with growing pauses, as long as a try
    begins within `patience_s` seconds. Raises EngineUnavailable where no pair can be run.
    """

    name = "apertium"
    neural = False
    batching = Batching(by_pair=True)

    def __init__(
        self,
        *,
        modes_dir: Path = MODES_DIR,
        timeout_s: float = 5.0,
        start_timeout_s: float = 30.0,
        patience_s: float = 10.0,
    ) -> None:
        modes = find_modes(modes_dir)
        if not modes:
            reason = f"no language pair in {modes_dir} can be run"
            raise EngineUnavailable(self.name, reason, f"Install it: apt-get install {APERTIUM_PACKAGES}")
        self.pairs = frozenset(modes)
        self._pipelines = {
            pair: _PairPipeline(pair, commands, timeout_s, start_timeout_s, patience_s)
            for pair, commands in modes.items()
        }

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        """One translation per text, in order; blanks around a text are kept. Raises EngineFailed."""
        pipeline = self._pipelines.get(pair)
        if pipeline is None:
            raise EngineFailed(self.name, f"{pair} is not installed")
        return [pipeline.translate(written_out(clean(text), pair.source)) for text in texts]

    def warm(self, pairs: Iterable[LanguagePair]) -> None:
        """Start the programs of `pairs` now, all at once, instead of at their first text, which else tries again."""

        def start(pair: LanguagePair) -> None:
            try:
                self.translate(pair, [""])
            except EngineFailed as error:
                _log.warning("%s", error)

        wanted = list(pairs)
        with ThreadPoolExecutor(len(wanted) or 1, thread_name_prefix="start-pair") as pool:
            list(pool.map(start, wanted))

    def close(self) -> None:
        """End every program. Idempotent; waits for a text that is being translated."""
        for pipeline in self._pipelines.values():
            pipeline.close()
