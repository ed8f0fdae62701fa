"""The measurements against real servers: a few seconds, so that the benchmark itself cannot rot."""

import pytest

from bench import delay, endings, served
from bench.replay import record_calls, replay
from dragoman.bench.acoustic import ends_of
from dragoman.bench.client import SessionFailed
from dragoman.bench.talk import join, packaged_recordings
from dragoman.testing import running_server
from tests.waiting import PATIENCE_S


@pytest.mark.embedded
def test_delay_of_a_real_server() -> None:
    talk = join(packaged_recordings()[:1]).first(5.0)
    ends_s = ends_of(talk)
    with served.warm_server(talk) as server:
        rounds = [served.play(server, talk)]
        found = delay.measure(rounds, ends_s)
        ending = endings.measure(server, talk, ends_s, cuts=0, files=1)
    assert found.ends >= 2
    assert found.ends_found == found.ends
    assert found.spreads["sound"].count >= 2
    assert 0.2 < found.spreads["sound"].p50 < PATIENCE_S
    assert 0 <= found.latest_chunk_s < PATIENCE_S
    assert rounds[0].usage.family_s > 0.05
    assert 0 < ending.at_once[0].end_s < PATIENCE_S
    assert {"sound_p50_s", "text_p95_s"} <= set(delay.section(found, rounds).figures)
    assert set(endings.section(ending).figures) == {"file_p50_s", "file_p95_s"}


@pytest.mark.embedded
def test_the_recorded_calls_can_be_replayed() -> None:
    talk = join(packaged_recordings()[:1]).first(3.0)
    log = record_calls(talk, "balanced", paced=False)
    costs = replay(log, paced=False)
    assert len(log.texts) >= 1
    assert costs.calls["committed"] >= 1
    assert costs.calls["detect"] > 10
    assert 0.0 < costs.committed_s <= costs.recognise_s < costs.total_s
    assert costs.least_s <= costs.total_s


def test_a_session_that_fails_is_told() -> None:
    talk = join(packaged_recordings()[:1]).first(1.0)
    with (
        running_server("scripted", environment={"DRAGOMAN_API_KEYS": "other"}) as server,
        pytest.raises(SessionFailed, match="key"),
    ):
        served.play(server, talk)
