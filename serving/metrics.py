"""What serving counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from serving.state import State

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 1.0)


class Metrics:
    """Counters of one process; each application has its own, so that tests do not share them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.answers = Counter(
            "serving_answers_total", "Answers by slot and status", ["slot", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "serving_answer_seconds", "Time to an answer", ["slot"], buckets=_BUCKETS, registry=self._registry
        )
        self._loaded = Gauge(
            "serving_loaded",
            "1 for the build and each model version in use",
            ["what", "version"],
            registry=self._registry,
        )
        self._problems = Gauge("serving_problems", "Things that could not be loaded", registry=self._registry)

    def exposition(self, state: State) -> bytes:
        """Everything as text, with what is in use at this moment."""
        self._loaded.clear()
        if state.snapshot is not None:
            self._loaded.labels("snapshot", state.snapshot.build_id).set(1)
        for champion in state.champions.values():
            self._loaded.labels(champion.name, champion.version).set(1)
        self._problems.set(len(state.problems))
        return generate_latest(self._registry)
