"""Which way is taken, by what it is worth."""

import pytest

from dragoman.models.base import LanguagePair
from dragoman.models.routes import RouteMap, compared, offers
from dragoman.models.worth import WorthTable, worth_table

MOZILLA = ("en→pt", "pt→en")
APERTIUM = ("en→es", "es→en", "es→pt", "pt→es", "es→fr", "fr→es")
ARGOS = ("en→es", "es→en", "en→fr", "fr→en", "de→en", "en→de")


def pairs(names: tuple[str, ...]) -> list[LanguagePair]:
    return [LanguagePair(*name.split("→")) for name in names]


def routes(table: WorthTable | None = None, **engines: tuple[str, ...]) -> RouteMap:
    return RouteMap((step for engine, names in engines.items() for step in offers(engine, pairs(names))), table)


def taken(found: RouteMap, source: str, target: str) -> str:
    route = found.best(source, target)
    return route.name if route is not None else ""


PLAIN = WorthTable({}, {}, 50.0, 0.95, 4.0)


def test_without_measures_the_shortest_way_by_the_first_engine() -> None:
    found = routes(PLAIN, a=("en→es", "es→pt"), b=("en→es", "en→pt"))
    assert taken(found, "en", "es") == "a"
    assert taken(found, "en", "pt") == "b"
    assert taken(found, "pt", "en") == ""
    assert found.leads("en", "pt")
    assert found.leads("pt", "pt")
    assert not found.leads("pt", "en")


def test_a_way_has_three_steps_at_most_and_no_language_twice() -> None:
    found = routes(PLAIN, a=("en→es", "es→en", "es→pt", "pt→fr", "fr→it"))
    assert taken(found, "en", "fr") == "a via es via pt"
    assert not found.leads("en", "it")
    assert found.best("en", "en") is None
    assert len(found.routes("en", "es")) == 1
    assert set(found.reachable("en")) == {"es", "pt", "fr"}


def test_a_way_round_is_taken_where_it_is_worth_more() -> None:
    table = WorthTable({"en a es": 44.0, "en b pt a es": 51.0}, {}, 50.0, 0.95, 4.0)
    found = routes(table, a=("en→es", "pt→es"), b=("en→pt",))
    assert taken(found, "en", "es") == "b+a via pt"
    assert compared(found.routes("en", "es")) == "51.0 chrF; a: 44.0"


def test_every_beginning_of_a_way_is_the_best_way_there() -> None:
    table = WorthTable(
        {"es a en": 45.0, "es a pt": 50.0, "es a pt b en": 54.0, "es a en b pt": 53.0}, {}, 50.0, 0.95, 4.0
    )
    found = routes(table, a=("es→en", "es→pt"), b=("pt→en", "en→pt"))
    assert taken(found, "es", "en") == "a+b via pt"
    assert taken(found, "es", "pt") == "a"  # not through an English to which Portuguese is the better way


@pytest.mark.parametrize(
    ("source", "target", "way"),
    [
        ("en", "pt", "firefox"),
        ("pt", "en", "firefox"),
        ("en", "es", "firefox+apertium via pt"),
        ("es", "en", "apertium+firefox via pt"),
        ("es", "pt", "apertium"),
        ("pt", "es", "apertium"),
        ("es", "fr", "apertium"),
        ("en", "fr", "firefox+apertium via pt via es"),
        ("fr", "en", "apertium+firefox via es via pt"),
    ],
)
def test_the_default_installation(source: str, target: str, way: str) -> None:
    assert taken(routes(firefox=MOZILLA, apertium=APERTIUM), source, target) == way


@pytest.mark.parametrize(("source", "target"), [("en", "es"), ("es", "en"), ("en", "fr"), ("fr", "en"), ("en", "de")])
def test_a_pulled_package_for_the_pair_beats_the_way_round(source: str, target: str) -> None:
    assert taken(routes(firefox=MOZILLA, argos=ARGOS, apertium=APERTIUM), source, target) == "argos"
    pulled = (*MOZILLA, *ARGOS)
    assert taken(routes(firefox=pulled, argos=ARGOS, apertium=APERTIUM), source, target) == "firefox"


def test_no_pair_is_worse_than_without_the_new_engine() -> None:
    before, after = routes(apertium=APERTIUM), routes(firefox=MOZILLA, apertium=APERTIUM)
    for source in ("en", "es", "fr", "pt"):
        for target, route in before.reachable(source).items():
            better = after.best(source, target)
            assert better is not None
            assert better.worth.measured
            assert better.worth.chrf >= route.worth.chrf


@pytest.mark.parametrize(
    ("chrf", "preferred"), [(40.0, False), (54.0, False), (54.1, True)], ids=["worse", "hardly better", "better"]
)
def test_own_english_must_be_better_by_a_margin(chrf: float, preferred: bool) -> None:
    table = WorthTable({"es ears en": chrf, "es a en": 50.0}, {"ears": 45.0}, 50.0, 0.95, 4.0)
    found = routes(table, a=("es→en", "en→fr"))
    assert found.prefers("ears", "es", "en") is preferred
    assert [way.name for way in found.ways("es", "en", "ears")] == (["ears", "a"] if preferred else ["a", "ears"])
    assert found.prefers("ears", "de", "en")  # nobody else does it
    assert found.prefers("ears", "de", "fr")
    assert not found.prefers("ears", "de", "it")
    assert not found.prefers("ears", "en", "en")


def test_whispers_english_beside_apertium_and_beside_the_default() -> None:
    apertium, default = routes(apertium=APERTIUM), routes(firefox=MOZILLA, apertium=APERTIUM)
    assert [code for code in ("es", "fr", "pt", "de") if apertium.prefers("whisper", code, "en")] == ["fr", "pt", "de"]
    assert [code for code in ("es", "fr", "pt", "de") if default.prefers("whisper", code, "en")] == ["de"]
    assert worth_table().margin > 0


def test_many_pairs_are_no_trouble() -> None:
    star = tuple(f"{a}→{b}" for code in map(chr, range(97, 123)) for a, b in ((f"{code}x", "en"), ("en", f"{code}x")))
    found = routes(PLAIN, a=star, b=star, c=star)
    assert len(found.reachable("ax")) == 26
    assert taken(found, "ax", "bx") == "a via en"
