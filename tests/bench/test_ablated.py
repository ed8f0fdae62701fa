"""A server whose `low` is another one."""

import pytest

from bench.ablated import change
from bench.latencies import VARIANTS
from dragoman.pipeline import latency
from dragoman.pipeline.latency import POLICIES


@pytest.fixture
def put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "POLICIES", POLICIES)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.usefixtures("put_back")
def test_every_variant_is_another_policy_or_setting(name: str) -> None:
    variant = VARIANTS[name]
    change(variant.policy)
    assert (latency.POLICIES["low"] != POLICIES["low"]) == bool(variant.policy)
    assert latency.POLICIES["balanced"] == POLICIES["balanced"]
    assert variant.latency in POLICIES
    assert variant.latency == name.split("-", maxsplit=1)[0]


@pytest.mark.usefixtures("put_back")
def test_a_field_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="hurry"):
        change({"hurry": 1})
