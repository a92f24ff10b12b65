"""Many threads that start at the same moment, and what became of each."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Do every work in a thread of its own, all starting together; results or exceptions, in order."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        barrier.wait(timeout=30)
        try:
            return work()
        except Exception as error:  # noqa: BLE001  the outcome is what the test looks at
            return error

    with ThreadPoolExecutor(max_workers=len(works)) as pool:
        return list(pool.map(run, works))


def successes(outcomes: list[Any]) -> list[Any]:
    """What did not raise."""
    return [outcome for outcome in outcomes if not isinstance(outcome, Exception)]


def failures(outcomes: list[Any]) -> list[Exception]:
    """What raised."""
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]
