"""What the documentation says is there is there, and what is there is documented."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from prometheus_client.core import Metric

from dragoman.cli.main import app
from dragoman.config.settings import default_table
from dragoman.models import errors as model_errors
from dragoman.models.base import LanguagePair
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.audio import errors as audio_errors
from dragoman.pipeline.latency import POLICIES
from dragoman.server import failures
from dragoman.server.commands import Send
from dragoman.server.metrics import Metrics
from dragoman.server.protocols.gradium import errors as gradium_errors
from dragoman.server.protocols.gradium.adapter import GradiumAdapter
from dragoman.server.protocols.gradium.asr import AsrAdapter
from dragoman.server.protocols.gradium.rest import _UNSERVED

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OUR_SOURCES = sorted(
    path for floor in ("server", "pipeline", "models", "config") for path in ROOT.glob(f"{floor}/**/*.py")
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
OUR_FILE = re.compile(
    r"\b(?:server|pipeline|models|config|dragoman|tests|demo|scripts|docs)/[\w./-]+\.(?:py|toml|sh|md)\b"
)


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each row of the tables in a page."""
    for line in text.splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def code_spans(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


# --- settings


def setting_tables(
    table: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every table of settings with its path; an empty one is a value."""
    inner = {name: value for name, value in table.items() if isinstance(value, dict) and value}
    yield path, {name: value for name, value in table.items() if name not in inner}
    for name, value in inner.items():
        yield from setting_tables(value, (*path, name))


def test_every_setting_is_documented_with_its_default() -> None:
    expected = {
        f"DRAGOMAN_{'__'.join([*table, name])}".upper(): (name, value)
        for table, settings in setting_tables(default_table())
        for name, value in settings.items()
    }
    documented = {}
    for cells in rows(page("configuration.md")):
        if len(cells) == 4 and (variable := code_spans(cells[3])):
            (setting,), (default,) = code_spans(cells[0]), code_spans(cells[1])
            documented[variable[0]] = (setting, tomllib.loads(f"value = {default}")["value"])
    assert documented == expected


def test_every_setting_stands_under_its_table() -> None:
    for section in re.split(r"^## ", page("configuration.md"), flags=re.MULTILINE)[1:]:
        if table := re.match(r"`\[([\w.]+)\]`", section):
            names = [code_spans(cells[0])[0] for cells in rows(section) if code_spans(cells[0])]
            assert names == list(dict(setting_tables(default_table()))[tuple(table[1].split("."))])


def test_the_latency_page_has_the_figures_of_the_policies() -> None:
    table = {cells[0]: cells[1:] for cells in rows(page("latency.md"))}
    for column, policy in enumerate(POLICIES[name] for name in ("low", "balanced", "quality")):
        assert table["new speech between two hypotheses"][column].startswith(f"{policy.cadence_s} s")
        comma, conjunction, latest = (
            table[name][column]
            for name in (
                "at a comma, semicolon or colon",
                "before a conjunction",
                "at the latest, after its first word",
            )
        )
        assert comma == (f"from {policy.comma_words} words on" if policy.comma_words else "no")
        assert conjunction == (f"from {policy.conjunction_words} words on" if policy.conjunction_words else "no")
        phrase = table["before a phrase, for translators that are not neural"][column]
        assert phrase == (f"from {policy.phrase_words} words on" if policy.phrase_words else "no")
        shares = "the pauses that end a segment, as a share of `listen.end_silence_ms` and `listen.long_end_silence_ms`"
        assert float(table[shares][column]) == policy.pause_share
        assert ("is sure" in table["words are certain"][column]) == policy.trusts
        again = table["a growing clause is translated again, by neural translators"][column]
        assert again == (f"every {policy.retranslate_words} words" if policy.retranslate_words else "no")
        assert latest == (f"{policy.max_delay_s} s" if policy.incremental else "no limit")


# --- metrics


def registered() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Type and labels of every metric, by the name under which it is scraped."""
    found = {}
    for collector in Metrics().registry._collector_to_names:
        for family in collector.collect():
            assert isinstance(family, Metric)
            name = f"{family.name}_total" if family.type == "counter" else family.name
            found[name] = (family.type, tuple(getattr(collector, "_labelnames", getattr(family, "_labelnames", ()))))
    return found


def test_every_metric_is_documented() -> None:
    documented = {}
    for cells in rows(page("metrics.md")):
        if (name := code_spans(cells[0])) and len(cells) == 4:
            documented[name[0]] = (cells[1], tuple(code_spans(cells[2])))
    assert documented == registered()


def test_metrics_are_spelled_right_wherever_they_are_named() -> None:
    series = {name + suffix for name in registered() for suffix in ("", "_bucket", "_sum", "_count")}
    named = {name for path in PAGES for name in re.findall(r"\bdragoman_[a-z_]+", path.read_text(encoding="utf-8"))}
    assert named - series == set()


# --- command line


def commands_in(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """A command and those below it, by what a user writes."""
    yield name, command
    for inner, one in getattr(command, "commands", {}).items():
        yield from commands_in(f"{name} {inner}", one)


def command_options() -> dict[str, set[str]]:
    """Options and arguments of every command, as a user writes them."""
    found = {}
    for name, command in commands_in("dragoman", typer.main.get_command(app)):
        options = {option for one in command.params if one.param_type_name == "option" for option in one.opts}
        arguments = {one.metavar or one.name for one in command.params if one.param_type_name == "argument"}
        found[name] = options | arguments
    return found


def test_every_command_and_option_is_documented() -> None:
    documented = {}
    for section in re.split(r"^## ", page("cli.md"), flags=re.MULTILINE)[1:]:
        name = section.splitlines()[0]
        documented[name] = {option for cells in rows(section) for option in code_spans(cells[0])}
    assert documented == command_options()


# --- errors


PAIR = LanguagePair("en", "de")
SAMPLES: list[Exception] = [
    failures.AuthenticationFailed("API key is missing"),
    failures.AuthenticationFailed("API key is not valid"),
    failures.AuthenticationFailed("token is unknown, expired or already used"),
    failures.AuthenticationFailed("origin https://example.org is not allowed"),
    failures.AuthenticationFailed("host example.org is not allowed"),
    failures.BadMessage("json_config must be a JSON object", failures.Fault.SETUP),
    failures.MessageTooLarge(1024),
    failures.TooManySessions(32),
    failures.TooManySessions(4, of_key=True),
    failures.SessionTooLong(3000.0),
    failures.IdleTooLong(300.0),
    failures.OutputNotRead("more than 300 s of audio"),
    failures.NotReady("engines are being loaded"),
    failures.StateAway(),
    failures.ShuttingDown(),
    failures.InternalError("0123"),
    model_errors.EngineUnavailable("espeak", "no library", "Install it"),
    model_errors.EngineFailed("espeak", "broken pipe"),
    model_errors.OutOfMemory("whisper"),
    model_errors.Overloaded("espeak"),
    model_errors.NoRecognizer("de", "Install one"),
    model_errors.NoTranslator(PAIR, "Install one"),
    model_errors.NoVoice("de", "Install one"),
    model_errors.UnknownVoice("nobody"),
    model_errors.VoiceMismatch("es-lucia-espeak1", "es", "de"),
    audio_errors.UnsupportedFormat("mp3"),
    audio_errors.BadAudio("not a WAV file"),
    audio_errors.UnknownAudio(),
]
RAISED_ITSELF: set[type[Exception]] = {model_errors.EngineFailed, audio_errors.BadAudio, failures.NotReady}
"""What has children and is raised itself too."""
NEVER_TOLD = {model_errors.Superseded, model_errors.TextRefused, audio_errors.AudioTooLong}
"""A dropped partial is nobody's error, an error for one text would end the request on this wire, and only recordings
that come by REST have a length."""

BROKEN: list[list[str | bytes | dict[str, Any]]] = [
    [b"\0"],
    ["{"],
    ["[]"],
    ["{}"],
    [{"type": "audio", "audio": ""}],
    [{"type": "setup"}, {"type": "setup"}],
    [
        {"type": "setup", "client_req_id": "a"},
        {"type": "setup", "client_req_id": "b"},
        {"type": "audio", "audio": ""},
    ],
    [{"type": "setup", "model_name": "huge"}],
    [{"type": "setup", "voice_id": 1}],
    [{"type": "setup", "input_format": "mp3"}],
    [{"type": "setup", "output_format": "mp3"}],
    [{"type": "setup", "json_config": "{"}],
    [{"type": "setup", "json_config": "[]"}],
    [{"type": "setup", "json_config": {"temp": 9}}],
    [{"type": "setup", "json_config": {"target_language": "?"}}],
    [{"type": "setup"}, {"type": "audio", "audio": "%"}],
    [{"type": "setup"}, {"type": "audio"}],
    [{"type": "setup", "client_req_id": "x" * 257}],
    [{"type": "flush", "flush_id": "x" * 70_000}],
]
"""What a broken client sends; the last message is answered with an error."""

BROKEN_TEXTS: list[dict[str, Any]] = [
    {"model_name": "stt-translate"},
    {"json_config": {"temp": 9}},
    {"json_config": {"keywords": {"words": ["two words"]}}},
]
"""Setups of `speech/asr` that are answered with an error."""


def leaves(kind: type[Exception]) -> set[type[Exception]]:
    below = kind.__subclasses__()
    return ({leaf for child in below for leaf in leaves(child)} if below else {kind}) | ({kind} & RAISED_ITSELF)


def told_to_broken_clients() -> Iterator[tuple[int, str]]:
    for messages in BROKEN:
        adapter = GradiumAdapter()
        for message in messages:
            actions = adapter.receive(adapter.parse(json.dumps(message) if isinstance(message, dict) else message))
        (answer,) = (json.loads(action.data) for action in actions if isinstance(action, Send))
        yield answer["code"], answer["message"]
    for fields in BROKEN_TEXTS:
        hearing = AsrAdapter()
        told = hearing.receive(hearing.parse(json.dumps({"type": "setup", **fields})))
        (answer,) = (json.loads(action.data) for action in told if isinstance(action, Send))
        yield answer["code"], answer["message"]
    lasting = (sample for sample in SAMPLES if isinstance(sample, model_errors.RouteError))
    yield from map(gradium_errors.lasting_error_of, lasting)


def documented_errors() -> list[tuple[int, str]]:
    text = page("errors.md").split("## On REST endpoints")[0]
    errors = [cells for cells in rows(text) if len(cells) == 3 and cells[0].isdigit()]
    messages = [(int(code), code_spans(message)) for code, message, _ in errors]
    return [(code, spans[0]) for code, spans in messages if spans and not spans[0].isupper()]


def is_rendering(message: str, pattern: str) -> bool:
    """Whether `message` is `pattern` with something (or, at its end, perhaps nothing) for each `…`."""
    body, end = (pattern[:-1], ".*") if pattern.endswith("…") else (pattern, "")
    return re.fullmatch(".+".join(map(re.escape, body.split("…"))) + end, message, re.DOTALL) is not None


def test_every_kind_of_failure_is_in_the_samples() -> None:
    roots = (failures.Failure, model_errors.ModelError, audio_errors.AudioError)
    ours = {leaf for root in roots for leaf in leaves(root) if leaf.__module__.startswith("dragoman.")}
    assert ours - NEVER_TOLD == {type(sample) for sample in SAMPLES}


def test_every_error_is_documented_with_its_code() -> None:
    told = [gradium_errors.error_of(sample) for sample in SAMPLES] + list(told_to_broken_clients())
    documented = documented_errors()

    def is_documented(code: int, message: str) -> bool:
        return any(code == found and is_rendering(message, pattern) for found, pattern in documented)

    assert [error for error in told if not is_documented(*error)] == []
    unused = [
        (code, pattern)
        for code, pattern in documented
        if not any(code == found and is_rendering(message, pattern) for found, message in told)
    ]
    assert unused == []


def test_every_code_is_documented_under_its_name() -> None:
    constants = {
        name: value for name, value in vars(gradium_errors).items() if isinstance(value, int) and name.isupper()
    }
    documented = {
        name[0]: int(cells[0])
        for cells in rows(page("errors.md"))
        if cells[0].isdigit() and (name := code_spans(cells[1])) and name[0].isupper()
    }
    assert documented == constants


def test_every_endpoint_that_is_not_served_is_documented() -> None:
    text = page("gradium.md")
    for paths in _UNSERVED.values():
        assert [path for path in paths if path.removesuffix("/{uid}").rstrip("/") not in text] == []


def test_every_voice_that_is_named_exists() -> None:
    known = {voice.voice_id for voice in VoiceCatalogue.load()}
    texts = [path.read_text(encoding="utf-8") for path in (*PAGES, ROOT / "config/default.toml")]
    assert {name for text in texts for name in re.findall(r"\b[a-z]{2}-\w+-espeak\d*\b", text)} - known == set()


# --- pages


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in LINK.findall(without_code(path.read_text(encoding="utf-8"))):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        linked = (path.parent / name).resolve() if name else path
        assert linked.exists(), f"{path.name} links to {target}"
        if anchor:
            assert anchor in anchors(linked.read_text(encoding="utf-8")), f"{path.name} links to {target}"


def anchors(text: str) -> set[str]:
    """The anchors that a page's headings get."""
    headings = re.findall(r"^#+ (.+)$", without_code(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_file_that_is_named_exists(path: Path) -> None:
    named = set(OUR_FILE.findall(path.read_text(encoding="utf-8")))
    assert {name for name in named if not (ROOT / name).exists()} == set()


@pytest.mark.parametrize("path", OUR_SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_docstring_names_exists(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    named = re.findall(r"`([a-z_/]+\.py)`", text)
    assert [name for name in named if not any((place / name).exists() for place in (ROOT, *path.parents))] == []


def test_the_way_in_leads_from_one_thing_that_is_there_to_the_next() -> None:
    steps = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## The map")[1].split("**A new engine**")[0]
    pairs = re.findall(r"((?:`\w+`(?: and |, )?)+) in\s+`([\w/]+\.py)`", steps)
    assert len(pairs) >= 15
    for names, file in pairs:
        body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        defined = {getattr(node, "name", None) for node in body}
        assert set(re.findall(r"\w+", names.replace(" and ", " "))) <= defined, file


def test_the_picture_shows_every_stage_and_engine() -> None:
    picture = page("architecture.md").split("## The picture")[1].split("```")[1]
    engines = {f"models/engines/{path.parent.name}/" for path in ROOT.glob("models/engines/*/__init__.py")}
    assert {name for name in engines if name not in picture} == set()
    stages = {
        f"pipeline/stages/{path.name}" for path in ROOT.glob("pipeline/stages/*.py") if path.name != "__init__.py"
    }
    assert {name for name in stages if name not in picture} == set()


def test_the_example_for_other_peoples_tests_works(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", page("ci.md"), flags=re.DOTALL)
    (tmp_path / "test_example.py").write_text(example, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
