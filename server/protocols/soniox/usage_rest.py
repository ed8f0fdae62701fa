"""The calls about usage: of each key its own, since the server started. Nothing costs anything; tokens are words."""

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, model_validator

from dragoman.server.protocols.soniox.api import (
    MAX_PAGE,
    ApiRoute,
    Desk,
    read_cursor,
    read_query,
    write_cursor,
    written,
)
from dragoman.server.protocols.soniox.usage import Use

MAX_DAYS = 366
MAX_PERIODS = 1_500
"""Entries of one history: a day of minutes, two months of hours, years of days."""
FREE = "0"

_SLOTS = {60: 1, 3_600: 60, 86_400: 24}
"""How many slots a period has: a minute itself, the minutes of an hour, the hours of a day."""
_COUNTED = (
    "input_text_tokens",
    "input_audio_tokens",
    "input_audio_duration_ms",
    "output_text_tokens",
    "output_audio_tokens",
    "output_audio_duration_ms",
)
_COSTS = ("cost_usd", "input_cost_usd", "output_cost_usd")
_LOG_COSTS = (*_COSTS, "input_text_cost_usd", "input_audio_cost_usd", "output_text_cost_usd", "output_audio_cost_usd")


def _with_zone(value: object) -> object:
    """A time that names no zone is UTC."""
    if isinstance(value, str) and len(value) < 64:
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            return value
        return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return value


def _within_reason(time: datetime) -> datetime:
    if not 1970 < time.year < 9_000:
        raise ValueError("is no time at which anything was used")
    return time.astimezone(UTC)


Time = Annotated[AwareDatetime, BeforeValidator(_with_zone), AfterValidator(_within_reason)]


class _Window(BaseModel):
    start_time: Time
    end_time: Time

    @model_validator(mode="after")
    def _ordered(self) -> "_Window":
        if self.end_time <= self.start_time:
            raise ValueError("end_time must be after start_time")
        return self


class _SummaryQuery(_Window):
    @model_validator(mode="after")
    def _short(self) -> "_SummaryQuery":
        if self.end_time - self.start_time > timedelta(days=MAX_DAYS):
            raise ValueError(f"from start_time to end_time there may be {MAX_DAYS} days")
        return self


class _LogQuery(_Window):
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = MAX_PAGE
    sort: Literal["end_time_asc", "end_time_desc"] = "end_time_asc"
    cursor: str | None = None


class _HistoryQuery(_Window):
    period_sec: Literal["60", "3600", "86400"]
    kind: Literal["stt", "tts"]

    @model_validator(mode="after")
    def _short(self) -> "_HistoryQuery":
        if (self.end_time - self.start_time).total_seconds() > MAX_PERIODS * int(self.period_sec):
            raise ValueError(f"from start_time to end_time there may be {MAX_PERIODS} periods")
        return self


def usage_routes(desk: Desk) -> APIRouter:
    """The calls; each asks for the key."""
    router = APIRouter(route_class=ApiRoute, tags=["soniox"])

    @router.get("/usage/summary")
    async def summary(request: Request) -> dict[str, Any]:
        """What was used each day, by model and in all."""
        owner, query = desk.owner(request), read_query(_SummaryQuery, request)
        uses = [use for use in desk.ledger.over(owner) if use.ended and query.start_time <= use.ended < query.end_time]
        last = query.end_time - timedelta(microseconds=1)
        first = query.start_time.date()
        days = [first + timedelta(days=number) for number in range((last.date() - first).days + 1)]
        dates = [day.isoformat() for day in days]
        models = list(dict.fromkeys(use.model for use in uses))
        return {
            "total": _entry(None, dates, uses),
            "models": [_entry(model, dates, [use for use in uses if use.model == model]) for model in models],
        }

    @router.get("/usage-logs")
    async def usage_logs(request: Request) -> dict[str, Any]:
        """Requests that ended in a window, one by one."""
        owner, query = desk.owner(request), read_query(_LogQuery, request)
        start = read_cursor(query.cursor) or 0
        uses = [use for use in desk.ledger.over(owner) if use.ended and query.start_time <= use.ended < query.end_time]
        if query.sort == "end_time_desc":
            uses.reverse()
        stop = start + query.limit
        return {
            "usage_logs": [_log(use) for use in uses[start:stop]],
            "next_page_cursor": write_cursor(stop) if stop < len(uses) else None,
        }

    @router.get("/concurrent-streams-history")
    async def history(request: Request) -> dict[str, Any]:
        """How many streams ran at once in each period."""
        owner, query = desk.owner(request), read_query(_HistoryQuery, request)
        uses = [use for use in desk.ledger.all_of(owner) if use.kind == query.kind]
        period_s = int(query.period_sec)
        entries = _periods(uses, query.start_time, query.end_time, period_s, desk.ledger.now())
        return {"kind": query.kind, "entries": [*entries]}

    return router


def _amounts(use: Use) -> dict[str, int]:
    """The figures of `_COUNTED`; audio is not counted in tokens here."""
    return {
        "input_text_tokens": use.input_text_tokens,
        "input_audio_tokens": 0,
        "input_audio_duration_ms": use.input_audio_ms,
        "output_text_tokens": use.output_text_tokens,
        "output_audio_tokens": 0,
        "output_audio_duration_ms": use.output_audio_ms,
    }


def _lasted_ms(use: Use) -> int:
    return round((use.ended - use.started).total_seconds() * 1_000) if use.ended else 0


def _entry(model: str | None, dates: list[str], uses: list[Use]) -> dict[str, Any]:
    places = {date: place for place, date in enumerate(dates)}
    daily = {name: [0] * len(dates) for name in ("num_requests", *_COUNTED, "duration_ms")}
    for use in uses:
        place = places[use.ended.date().isoformat()] if use.ended else 0
        for name, amount in {"num_requests": 1, **_amounts(use), "duration_ms": _lasted_ms(use)}.items():
            daily[name][place] += amount
    costs = (*_COSTS, "duration_cost_usd")
    return {
        "model": model,
        "days": dates,
        **{f"total_{name}": FREE for name in costs},
        **{name: [FREE] * len(dates) for name in costs},
        **{f"total_{name}": sum(amounts) for name, amounts in daily.items()},
        **daily,
    }


def _log(use: Use) -> dict[str, Any]:
    return {
        "uuid": use.uid,
        "request_scope": "api",
        "client_reference_id": use.reference,
        "model": use.model,
        "start_time": written(use.started),
        "end_time": written(use.ended or use.started),
        **_amounts(use),
        **dict.fromkeys(_LOG_COSTS, FREE),
    }


def _periods(
    uses: Iterable[Use], start: datetime, end: datetime, period_s: int, now: datetime
) -> Iterator[dict[str, Any]]:
    """Every period that begins in the window; in each slot of it, the most that ran at once."""
    slots = _SLOTS[period_s]
    slot_s = period_s // slots
    first = math.ceil(start.timestamp() / period_s) * period_s
    spans = [(use.started.timestamp(), (use.ended or now).timestamp()) for use in uses]
    peaks = _peaks([span for span in spans if span[1] >= first and span[0] < end.timestamp()], slot_s)
    for begin in range(first, math.ceil(end.timestamp()), period_s):
        counts = [peaks[slot] for slot in range(begin // slot_s, begin // slot_s + slots) if slot in peaks]
        yield {
            "period_start": written(datetime.fromtimestamp(begin, UTC)),
            "period_sec": period_s,
            "sample_min": 0,
            "sample_max": max(counts, default=0),
            "sample_sum": sum(counts),
            "sample_count": len(counts),
            "total_count": slots if counts else 0,
        }


def _peaks(spans: list[tuple[float, float]], slot_s: int) -> dict[int, int]:
    """For each slot in which anything ran, the most that ran at once."""
    # Who ends in the moment in which another one begins ran before it.
    moments = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    peaks: dict[int, int] = {}
    running, slot = 0, 0
    for moment, change in moments:
        here = int(moment // slot_s)
        if running:
            for passed in range(slot + 1, math.ceil(moment / slot_s)):
                peaks[passed] = max(peaks.get(passed, 0), running)
        running, slot = running + change, here
        if running:
            peaks[here] = max(peaks.get(here, 0), running)
    return peaks
