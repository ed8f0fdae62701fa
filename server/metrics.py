"""What the server counts, in Prometheus's form. Every metric is described in docs/metrics.md."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dragoman.models.base import Batching
from dragoman.models.batching import BatchRecord
from dragoman.pipeline.session import Session
from dragoman.pipeline.stages.speak import S_PER_CHARACTER
from dragoman.server.load import LoadMeter

DELAY_BUCKETS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0)
STAGE_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

LAG_BUCKETS = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32)


class Metrics:
    """One server's metrics in a registry of their own, so that several servers can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.load = LoadMeter()
        self.live: set[Session] = set()
        """The sessions that run now; their queues are looked at when somebody asks."""
        self.running = Gauge("dragoman_sessions", "Sessions that run now", ["protocol"], registry=self.registry)
        self.opened = Counter("dragoman_sessions_opened", "Sessions opened", ["protocol"], registry=self.registry)
        self.audio_in = Counter("dragoman_audio_in_seconds", "Audio received", ["protocol"], registry=self.registry)
        self.audio_out = Counter("dragoman_audio_out_seconds", "Audio sent", ["protocol"], registry=self.registry)
        self.errors = Counter("dragoman_errors", "Errors told", ["protocol", "code"], registry=self.registry)
        self.stage = Histogram(
            "dragoman_stage_seconds", "Time of one item", ["stage"], buckets=STAGE_BUCKETS, registry=self.registry
        )
        self.delay = Histogram(
            "dragoman_clause_delay_seconds",
            "From the end of a spoken clause to the first sound of its translation",
            ["protocol"],
            buckets=DELAY_BUCKETS,
            registry=self.registry,
        )
        self.lag = Histogram(
            "dragoman_speech_lag_seconds",
            "How long a clause waits, for one who listens, until the clauses before it have been heard",
            ["protocol"],
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        self.engine_run = Histogram(
            "dragoman_engine_run_seconds", "One engine call", ["engine"], buckets=STAGE_BUCKETS, registry=self.registry
        )
        self.engine_wait = Histogram(
            "dragoman_engine_wait_seconds",
            "Wait for an engine",
            ["engine"],
            buckets=STAGE_BUCKETS,
            registry=self.registry,
        )
        self.engine_batch = Histogram(
            "dragoman_engine_batch_size",
            "Requests in one engine call",
            ["engine"],
            buckets=BATCH_BUCKETS,
            registry=self.registry,
        )
        self.engine_max_batch = Gauge(
            "dragoman_engine_max_batch", "Setting: most requests in one call", ["engine"], registry=self.registry
        )
        self.engine_batch_wait = Gauge(
            "dragoman_engine_batch_wait_seconds",
            "Setting: how long the first request waits for others",
            ["engine"],
            registry=self.registry,
        )
        self.capacity = Gauge(
            "dragoman_capacity_sessions",
            "Sessions that the whole machine could serve in time, as far as is known",
            registry=self.registry,
        )
        self.capacity.set_function(lambda: self.load.capacity(1.0))
        self.tasks = Gauge("dragoman_asyncio_tasks", "Tasks on the event loop", registry=self.registry)
        self.registry.register(_QueueCollector(self.live))

    def engine(self, record: BatchRecord) -> None:
        """Note one call of an engine; called from its owner thread."""
        self.engine_run.labels(record.name).observe(record.run_s)
        self.engine_wait.labels(record.name).observe(record.wait_s)
        self.engine_batch.labels(record.name).observe(record.size)
        self.load.engine(record)

    def engines(self, batching: Mapping[str, Batching], stages: Mapping[str, str]) -> None:
        """Show how each engine is called; `stages` is what each is for."""
        self.load.engines(batching, stages)
        for name, how in batching.items():
            self.engine_max_batch.labels(name).set(how.size)
            self.engine_batch_wait.labels(name).set(how.wait_s)

    def observer(self, protocol: str) -> "ProtocolObserver":
        """The counters of one protocol, for its sessions."""
        return ProtocolObserver(self, protocol)


class ProtocolObserver:
    """A session's observer (pipeline.observer.SessionObserver) that counts by protocol."""

    def __init__(self, metrics: Metrics, protocol: str) -> None:
        self._in = metrics.audio_in.labels(protocol)
        self._out = metrics.audio_out.labels(protocol)
        self._delay = metrics.delay.labels(protocol)
        self._lag = metrics.lag.labels(protocol)
        self._stage = metrics.stage
        self._load = metrics.load

    def audio_in(self, seconds: float) -> None:
        self._in.inc(seconds)
        self._load.audio(seconds)

    def given(self, stage: str, characters: int) -> None:
        self._load.text(stage, characters * S_PER_CHARACTER)

    def audio_out(self, seconds: float) -> None:
        self._out.inc(seconds)

    def stage_time(self, stage: str, seconds: float) -> None:
        self._stage.labels(stage).observe(seconds)

    def clause_delay(self, seconds: float) -> None:
        self._delay.observe(seconds)

    def speech_lag(self, seconds: float) -> None:
        self._lag.observe(seconds)


class _QueueCollector(Collector):
    def __init__(self, live: Iterable[Session]) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        """Sum what waits before each stage over the sessions that run now."""
        family = GaugeMetricFamily("dragoman_queue_depth", "What waits before a stage", labels=["stage"])
        totals: dict[str, float] = {}
        for session in list(self._live):
            for stage, depth in session.depths.items():
                totals[stage] = totals.get(stage, 0.0) + depth
        for stage, depth in totals.items():
            family.add_metric([stage], depth)
        yield family
