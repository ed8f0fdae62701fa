"""The one method of percentiles, against numpy's."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.bench.percentiles import Spread, median, percentile

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


@given(VALUES, st.floats(0, 100))
def test_percentiles_are_numpys(values: list[float], percent: float) -> None:
    assert percentile(values, percent) == pytest.approx(float(np.percentile(values, percent)), rel=1e-9, abs=1e-6)


def test_known_percentiles() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 50) == 2.5
    assert percentile([1.0, 2.0, 3.0], 100) == 3.0
    assert percentile([7.0], 95) == 7.0
    assert median(iter([3.0, 1.0, 2.0])) == 2.0


def test_what_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)
    with pytest.raises(ValueError, match="percent"):
        percentile([1.0], 101)


def test_a_spread_in_short() -> None:
    spread = Spread.of(iter([3.0, 1.0, 2.0]))
    assert spread is not None
    assert astuple(spread) == pytest.approx((3, 2.0, 2.9, 1.0, 3.0))
    assert Spread.of([]) is None
