"""The stand-in as a running server: an ASGI server and the thread that delivers webhooks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transactional.core.threads import served
from transactional.payments_standin import memory
from transactional.payments_standin.app import create_app
from transactional.payments_standin.gateway import Gateway

_BEAT_SECONDS = 0.2


class Keeper:
    """Keeps a gateway's books in a file, read at the start and written when they have changed."""

    def __init__(self, gateway: Gateway, path: Path) -> None:
        """Raises `memory.Unreadable` for a file that holds something else."""
        self._gateway, self._path = gateway, path
        gateway.recall(memory.read(path))
        self._kept = -1
        self.keep()

    def keep(self) -> None:
        """Write the books if they are not as written."""
        version = self._gateway.version
        if version != self._kept:
            memory.write(self._path, self._gateway.remember())
            self._kept = version


class DeliveryThread(threading.Thread):
    """Delivers as soon as something is queued, and looks for due repetitions several times a second."""

    def __init__(self, gateway: Gateway, keeper: Keeper | None = None) -> None:
        super().__init__(name="razorpay-standin-deliveries", daemon=True)
        self._gateway = gateway
        self._keeper = keeper
        self._stopping = threading.Event()

    def run(self) -> None:
        """Deliver until stopped."""
        queued = self._gateway.deliveries.queued
        while not self._stopping.is_set():
            queued.wait(_BEAT_SECONDS)
            queued.clear()
            self._gateway.settle_time()
            self._gateway.deliveries.deliver_due()
            if self._keeper is not None:
                self._keeper.keep()

    def stop(self) -> None:
        """End after the delivery at hand."""
        self._stopping.set()
        self._gateway.deliveries.queued.set()
        self.join()


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers."""

    url: str
    gateway: Gateway


@contextmanager
def running(
    gateway: Gateway, *, host: str = "127.0.0.1", port: int = 0, keeper: Keeper | None = None
) -> Iterator[RunningServer]:
    """Serve from a thread while the block runs; port 0 takes a free one. Raises OSError when the port is taken."""
    deliveries = DeliveryThread(gateway, keeper)
    try:
        with served(create_app(gateway), host=host, port=port) as url:
            deliveries.start()
            try:
                yield RunningServer(url, gateway)
            finally:
                deliveries.stop()
    finally:
        if keeper is not None:
            keeper.keep()
