"""Pauses that grow until patience ends."""

import pytest

from dragoman.models.processes.patience import pauses


@pytest.mark.parametrize(
    ("patience_s", "took_s", "tries"),
    [
        (0.0, 0.0, [0.0]),
        (0.04, 0.0, [0.0]),
        (0.16, 0.0, [0.0, 0.05, 0.1]),
        (3.6, 0.0, [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]),
        (3.6, 1.0, [0.0, 0.05, 0.1, 0.2]),
        (10.0, 5.0, [0.0, 0.05]),
        (10.0, 30.0, [0.0]),
    ],
)
def test_pauses(patience_s: float, took_s: float, tries: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, made = 100.0, []
    with monkeypatch.context() as patched:
        patched.setattr("dragoman.models.processes.patience.time.monotonic", lambda: now_s)
        for pause_s in pauses(patience_s):
            made.append(pause_s)
            now_s += pause_s + took_s
    assert made == tries
