"""Which carrier this process sends through: built from the settings once, handed in by a test, or none at all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from transactional.core.uow import Database
from transactional.settings import Settings, get_settings
from transactional.shipping.api import CarrierApi, Pause
from transactional.shipping.carrier import Carrier
from transactional.shipping.shiprocket import Shiprocket

OWN = "own"
"""The carrier of a shop that sends by itself."""

_lock = threading.Lock()
_built: Carrier | None = None
_handed_in: Carrier | None = None


def current_carrier(database: Database) -> Carrier | None:
    """The process's carrier; None for a shop without credentials, which sends by itself."""
    global _built  # noqa: PLW0603  outbox handlers and jobs receive nothing but the database
    with _lock:
        if _handed_in is not None:
            return _handed_in
        if _built is None and has_credentials(get_settings()):
            _built = build(get_settings(), database)
        return _built


def has_credentials(settings: Settings) -> bool:
    """Whether the shop has an account at the carrier."""
    return bool(settings.shiprocket_email and settings.shiprocket_password.get_secret_value())


def carrier_name(settings: Settings) -> str:
    """Who carries the parcels that are packed now: the carrier in use, or the shop itself."""
    with _lock:
        if _handed_in is not None:
            return _handed_in.name
    return Shiprocket.name if has_credentials(settings) else OWN


def build(
    settings: Settings,
    database: Database,
    *,
    transport: httpx.BaseTransport | None = None,
    pause: Pause | None = None,
) -> Shiprocket:
    """The carrier of these settings; `transport` and `pause` as in `CarrierApi`."""
    api = CarrierApi(
        database,
        base_url=settings.shiprocket_base_url,
        email=settings.shiprocket_email,
        password=settings.shiprocket_password,
        timeout_seconds=settings.shiprocket_timeout_seconds,
        transport=transport,
        pause=pause,
    )
    return Shiprocket(api, pickup_location=settings.pickup_location, pickup_postal_code=settings.pickup_postal_code)


@contextmanager
def carrier_in_use(carrier: Carrier) -> Iterator[Carrier]:
    """Send through this carrier while the block runs, in every thread."""
    global _handed_in  # noqa: PLW0603
    with _lock:
        before, _handed_in = _handed_in, carrier
    try:
        yield carrier
    finally:
        with _lock:
            _handed_in = before
