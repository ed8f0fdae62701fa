"""What is told of what was used: logs, days, and how many streams ran at once, of each key its own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from dragoman.config.settings import load_settings
from dragoman.server.auth import owner_of
from dragoman.server.protocols.soniox import usage
from dragoman.server.protocols.soniox.api import Desk
from dragoman.server.protocols.soniox.usage import Kind, Ledger
from dragoman.server.protocols.soniox.usage_rest import usage_routes
from dragoman.server.services import Services
from tests.fakes.engines import fake_engines

START = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


class House:
    """The calls over a ledger whose clock a test moves."""

    def __init__(self) -> None:
        self.now = START
        self.ledger = Ledger(lambda: self.now)
        settings = load_settings(overrides={"api_keys": ["one", "two"]})
        desk = Desk.of(Services(settings, lambda *_: fake_engines()))
        app = FastAPI()
        app.include_router(usage_routes(Desk(desk.services, desk.temporary, self.ledger, desk.door, desk.voices)))
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    async def get(self, path: str, *, key: str = "one", status: int = 200, **query: Any) -> Any:
        answer = await self._http.get(path, params=query, headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == status, answer.text
        return answer.json()

    def used(
        self, kind: Kind = "stt", *, seconds: float = 30.0, key: str = "one", model: str = "m", **more: int
    ) -> None:
        use = self.ledger.begin(kind, owner_of(key), model, "ref")
        for name, value in more.items():
            setattr(use, name, value)
        self.now += timedelta(seconds=seconds)
        self.ledger.end(use)


def window(start: datetime = START, **length: float) -> dict[str, str]:
    end = start + timedelta(**(length or {"days": 1}))
    return {"start_time": start.isoformat(), "end_time": end.isoformat().replace("+00:00", "Z")}


async def test_logs_are_of_one_key_and_come_in_pages() -> None:
    house = House()
    for number in range(5):
        house.used(model=f"m{number}", input_audio_ms=100 * number, output_text_tokens=number)
    house.used("tts", key="two")
    logs = (await house.get("/usage-logs", **window()))["usage_logs"]
    assert [one["model"] for one in logs] == [f"m{number}" for number in range(5)]
    assert logs[2]["input_audio_duration_ms"] == 200
    assert (logs[0]["start_time"], logs[0]["end_time"]) == ("2026-03-01T12:00:30.000Z", "2026-03-01T12:01:00.000Z")
    assert (logs[0]["client_reference_id"], logs[0]["cost_usd"]) == ("ref", "0")
    assert None not in logs[0].values()
    seen: list[str] = []
    query = {**window(), "limit": 2, "sort": "end_time_desc"}
    while True:
        page = await house.get("/usage-logs", **query)
        seen += [one["model"] for one in page["usage_logs"]]
        if page["next_page_cursor"] is None:
            break
        query["cursor"] = page["next_page_cursor"]
    assert seen == ["m4", "m3", "m2", "m1", "m0"]
    assert len((await house.get("/usage-logs", key="two", **window()))["usage_logs"]) == 1
    assert (await house.get("/usage-logs", **window(START - timedelta(days=2))))["usage_logs"] == []
    await house.get("/usage-logs", key="wrong", status=401, **window())


async def test_days_are_summed_by_model_and_in_all() -> None:
    house = House()
    house.used(model="a", input_audio_ms=1_000, output_text_tokens=3)
    house.used("tts", model="b", input_text_tokens=4, output_audio_ms=2_000)
    house.now += timedelta(days=1)
    house.used(model="a", input_audio_ms=500)
    found = await house.get("/usage/summary", **window(START.replace(hour=0, minute=0, second=0), days=3))
    total, (a, b) = found["total"], found["models"]
    assert total["model"] is None
    assert total["days"] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert total["num_requests"] == [2, 1, 0]
    assert total["total_num_requests"] == 3
    assert total["duration_ms"] == [60_000, 30_000, 0]
    assert total["cost_usd"] == ["0"] * 3
    assert (a["model"], a["input_audio_duration_ms"], a["total_output_text_tokens"]) == ("a", [1_000, 500, 0], 3)
    assert (b["model"], b["total_input_text_tokens"], b["output_audio_duration_ms"]) == ("b", 4, [2_000, 0, 0])
    empty = await house.get("/usage/summary", key="two", **window())
    assert empty["models"] == []
    assert set(empty["total"]) == set(total)


async def test_how_many_ran_at_once() -> None:
    house = House()
    first = house.ledger.begin("stt", owner_of("one"), "m", "")  # 12:00:30 to 12:03:00
    house.used(seconds=30)  # to 12:01:00
    house.used(seconds=30)  # to 12:01:30
    house.now += timedelta(seconds=90)
    house.ledger.end(first)
    house.ledger.begin("tts", owner_of("one"), "m", "")
    house.now += timedelta(minutes=2)
    begin = START.replace(second=0)

    async def peaks(kind: str, period: int, **length: float) -> list[tuple[int, int, int]]:
        found = await house.get("/concurrent-streams-history", kind=kind, period_sec=period, **window(begin, **length))
        assert found["kind"] == kind
        return [(one["sample_max"], one["sample_sum"], one["sample_count"]) for one in found["entries"]]

    assert await peaks("stt", 60, minutes=5) == [(2, 2, 1), (2, 2, 1), (1, 1, 1), (0, 0, 0), (0, 0, 0)]
    assert await peaks("tts", 60, minutes=5) == [(0, 0, 0), (0, 0, 0), (0, 0, 0), (1, 1, 1), (1, 1, 1)]
    assert await peaks("stt", 3_600, hours=2) == [(2, 5, 3), (0, 0, 0)]
    begin = begin.replace(hour=0)
    assert await peaks("stt", 86_400, days=2) == [(2, 2, 1), (0, 0, 0)]


@pytest.mark.parametrize(
    ("path", "change", "location"),
    [
        ("/usage/summary", lambda query: query.pop("start_time"), "query.start_time"),
        ("/usage/summary", lambda query: query.update(end_time="soon"), "query.end_time"),
        ("/usage/summary", lambda query: query.update(end_time="9999-12-31T23:59:59Z"), "query.end_time"),
        ("/usage/summary", lambda query: query.update(start_time="0001-01-01"), "query.start_time"),
        ("/usage/summary", lambda query: query.update(end_time=query["start_time"]), "query"),
        ("/usage/summary", lambda query: query.update(start_time="2020-01-01"), "query"),
        ("/usage-logs", lambda query: query.update(limit="0"), "query.limit"),
        ("/usage-logs", lambda query: query.update(sort="x"), "query.sort"),
        ("/concurrent-streams-history", lambda query: query.update(period_sec="61", kind="stt"), "query.period_sec"),
        ("/concurrent-streams-history", lambda query: query.update(period_sec="60", kind="x"), "query.kind"),
        ("/concurrent-streams-history", lambda query: query.update(period_sec="60", kind="stt",
                                                                   end_time="2026-04-01"), "query"),
    ],
)  # fmt: skip
async def test_wrong_windows(path: str, change: Callable[[dict[str, str]], object], location: str) -> None:
    query = window()
    change(query)
    told = await House().get(path, status=400, **query)
    assert told["error_type"] == "invalid_request"
    assert told["validation_errors"][0]["location"] == location


def test_the_ledger_is_bounded_and_an_end_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MAX_ENTRIES", 3)
    ledger = Ledger()
    for _ in range(5):
        use = ledger.begin("stt", "me", "m", "")
        ledger.end(use)
        ledger.end(use)
    assert len([*ledger.all_of("me")]) == 3
    assert ledger.running("stt") == 0


def test_an_owner_does_not_tell_the_key() -> None:
    assert owner_of("secret") != owner_of("other")
    assert "secret" not in owner_of("secret")
    assert owner_of(None) == owner_of("")
    assert owner_of("\ud800")
