"""Which gateway this process pays through: built from the settings once, or handed in by a simulation or a test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from transactional.payments.gateway import PaymentGateway
from transactional.payments.razorpay import RazorpayGateway
from transactional.settings import get_settings

_lock = threading.Lock()
_current: PaymentGateway | None = None


def current_gateway() -> PaymentGateway:
    """The process's gateway; the one of the settings unless another is in use."""
    global _current  # noqa: PLW0603  outbox handlers and jobs receive nothing but the database
    with _lock:
        if _current is None:
            _current = RazorpayGateway.from_settings(get_settings())
        return _current


async def gateway_of_process() -> PaymentGateway:
    """`current_gateway` as a dependency: asked where the request is, without a trip to the thread pool."""
    return current_gateway()


@contextmanager
def gateway_in_use(gateway: PaymentGateway) -> Iterator[PaymentGateway]:
    """Pay through this gateway while the block runs, in every thread."""
    global _current  # noqa: PLW0603
    with _lock:
        before, _current = _current, gateway
    try:
        yield gateway
    finally:
        with _lock:
            _current = before
