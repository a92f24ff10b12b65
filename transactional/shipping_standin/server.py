"""The stand-in as a running server: an ASGI server, and a thread that delivers webhooks and moves parcels."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from transactional.core.threads import served
from transactional.shipping_standin.app import create_app
from transactional.shipping_standin.carrier import BASE, Carrier

_BEAT_SECONDS = 0.2


class CarrierThread(threading.Thread):
    """Delivers webhooks as soon as they are queued; with a pace, every parcel moves a step that often."""

    def __init__(self, carrier: Carrier, pace_seconds: float | None) -> None:
        super().__init__(name="parcel-standin", daemon=True)
        self._carrier = carrier
        self._pace = pace_seconds
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until stopped."""
        waited = 0.0
        queued = self._carrier.webhooks.queued
        while not self._stopping.is_set():
            queued.wait(_BEAT_SECONDS)
            queued.clear()
            waited += _BEAT_SECONDS
            if self._pace is not None and waited >= self._pace:
                waited = 0.0
                with self._carrier.lock:
                    self._carrier.journeys.advance_all()
            self._carrier.webhooks.deliver_due()

    def stop(self) -> None:
        """End after the delivery at hand."""
        self._stopping.set()
        self._carrier.webhooks.queued.set()
        self.join()


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers."""

    url: str
    carrier: Carrier

    @property
    def api_url(self) -> str:
        """The base URL of the carrier's API."""
        return self.url + BASE


@contextmanager
def running(
    carrier: Carrier, *, host: str = "127.0.0.1", port: int = 0, pace_seconds: float | None = None
) -> Iterator[RunningServer]:
    """Serve from a thread while the block runs; port 0 takes a free one. Raises OSError when the port is taken."""
    worker = CarrierThread(carrier, pace_seconds)
    with served(create_app(carrier), host=host, port=port) as url:
        worker.start()
        try:
            yield RunningServer(url, carrier)
        finally:
            worker.stop()
