"""How things are measured: whole commands with the memory of all their processes, and calls with percentiles."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psutil

_SAMPLE_SECONDS = 0.1


class BenchmarkFailedError(RuntimeError):
    """What was to be measured did not work; its own words are in the message."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command: wall seconds, and the peak resident memory of its whole process tree."""

    seconds: float
    peak_mb: float
    stdout: str

    def figures(self) -> dict[str, float]:
        """Without what it printed."""
        return {key: round(value, 3) for key, value in asdict(self).items() if key != "stdout"}


def run_module(arguments: Sequence[str], env: Mapping[str, str] | None = None) -> Run:
    """Run `python -m …` and watch it; raises BenchmarkFailedError when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )
    watcher = _MemoryWatcher(process.pid)
    watcher.start()
    stdout, stderr = process.communicate()
    seconds = time.perf_counter() - started
    peak = watcher.finish()
    if process.returncode:
        raise BenchmarkFailedError(f"`{' '.join(arguments)}` ended with {process.returncode}:\n{stderr[-3000:]}")
    return Run(seconds=seconds, peak_mb=peak, stdout=stdout)


class _MemoryWatcher(threading.Thread):
    """Samples the resident memory of a process tree."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self._peak = 0

    def run(self) -> None:
        while not self._over.wait(_SAMPLE_SECONDS):
            self._peak = max(self._peak, self._resident())

    def _resident(self) -> int:
        total = 0
        try:
            for process in [self._root, *self._root.children(recursive=True)]:
                total += process.memory_info().rss
        except psutil.Error:
            pass
        return total

    def finish(self) -> float:
        """Stop sampling; the peak in megabytes."""
        self._over.set()
        self.join()
        return self._peak / 1e6


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of one call, and what it gave."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def best_of(call: Callable[[], Any], repetitions: int = 3) -> float:
    """The shortest of a few runs: what the work costs when nothing else disturbs it."""
    return min(timed(call)[0] for _ in range(repetitions))


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted values lie (nearest rank)."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


@dataclass(frozen=True, slots=True)
class Load:
    """What a load of requests gave: rate, and latencies in milliseconds."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    requests: int
    errors: int

    def figures(self) -> dict[str, float]:
        """For the report."""
        return {key: round(value, 3) for key, value in asdict(self).items()}


def load(call: Callable[[int], bool], *, requests: int, clients: int) -> Load:
    """`requests` calls by `clients` threads; `call(i)` says whether the i-th went well."""
    latencies: list[float] = []
    errors = 0
    lock = threading.Lock()
    numbers = iter(range(requests))

    def client() -> None:
        nonlocal errors
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            seconds, good = timed(lambda n=number: call(n))
            with lock:
                latencies.append(seconds * 1000)
                errors += not good

    threads = [threading.Thread(target=client) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - started
    latencies.sort()
    return Load(
        requests_per_second=requests / elapsed,
        p50_ms=percentile(latencies, 0.5),
        p99_ms=percentile(latencies, 0.99),
        requests=requests,
        errors=errors,
    )
