"""What ways are worth, and the table itself."""

import pytest

from dragoman.models.base import LanguagePair
from dragoman.models.worth import Step, WorthTable, read_table, route_name, worth_table

TABLE = WorthTable(
    {"en good es": 60.0, "en good es poor pt": 55.0, "en poor fr": 40.0}, {"good": 58.0, "poor": 44.0}, 50.0, 0.9, 3.0
)


def steps(name: str) -> list[Step]:
    """A way by its name."""
    words = name.split()
    return [Step(LanguagePair(words[at], words[at + 2]), words[at + 1]) for at in range(0, len(words) - 1, 2)]


@pytest.mark.parametrize(
    ("name", "chrf", "measured"),
    [
        ("en good es", 60.0, True),
        ("en good es poor pt", 55.0, True),
        ("en good de", 58.0, False),
        ("en other de", 50.0, False),
        ("en good es poor fr", 44.0 * 0.9, False),
        ("de good en poor fr", 40.0 * 0.9, False),
        ("de good en good es poor pt", 44.0 * 0.81, False),
    ],
)
def test_what_was_measured_counts_and_else_the_worst_step(name: str, chrf: float, measured: bool) -> None:
    worth = TABLE.of(steps(name))
    assert (worth.chrf, worth.measured) == (pytest.approx(chrf), measured)
    assert route_name(steps(name)) == name


def test_estimates_are_told_as_such() -> None:
    assert str(TABLE.of(steps("en good es"))) == "60.0"
    assert str(TABLE.of(steps("en good de"))) == "about 58"


@pytest.mark.parametrize("text", ["", "[routes]\n", "routes = 1\n[estimate]\nkept = 1"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no table of what routes are worth"):
        read_table(text)


def test_the_packaged_table_has_ways_that_exist() -> None:
    table = worth_table()
    for name, chrf in table.routes.items():
        way = steps(name)
        assert route_name(way) == name
        assert 1 <= len(way) <= 3
        assert 0 < chrf < 100
        assert {step.engine for step in way} <= set(table.engines), name
    assert 0.5 < table.kept < 1
