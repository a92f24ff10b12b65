"""Figures for Prometheus: requests by route and status, how long they took, what waits in the outbox."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from transactional.core.models import OutboxMessage
from transactional.core.uow import Database

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One registry an app, so that two apps in one process do not count for each other."""

    def __init__(self, database: Database) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "mlt_http_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "mlt_http_request_seconds",
            "Time from request to answer",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.registry.register(_OutboxBacklog(lambda: outbox_backlog(database)))

    def observe(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer. `route` is the template, not the path: paths would be without number."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def render(self) -> bytes:
        """The figures in Prometheus' text format."""
        return generate_latest(self.registry)


class _OutboxBacklog(Collector):
    """Reads the outbox when asked, so that the figure is right whichever process does the work."""

    def __init__(self, read: Callable[[], dict[str, int]]) -> None:
        self._read = read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Names the figure without touching the database: the registry asks when it is built."""
        yield GaugeMetricFamily("mlt_outbox_messages", "Messages by state", labels=["state"])

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figure now."""
        family = GaugeMetricFamily("mlt_outbox_messages", "Messages by state", labels=["state"])
        for state, count in self._read().items():
            family.add_metric([state], count)
        yield family


def outbox_backlog(database: Database) -> dict[str, int]:
    """Messages that wait or were given up, by state."""
    counts = {"pending": 0, "failed": 0}
    unfinished = OutboxMessage.state.in_(list(counts))
    with database.read() as session:
        rows = session.execute(
            select(OutboxMessage.state, func.count()).where(unfinished).group_by(OutboxMessage.state)
        )
        counts.update({state.value: count for state, count in rows})
    return counts
