"""Fixtures of the shop's tests."""

from collections.abc import Iterator

import pytest

from tests.support.trade import TradeKit
from tests.transactional.shipping.depot import Depot, open_depot
from transactional import wiring
from transactional.core.clock import ManualClock
from transactional.core.uow import Database


@pytest.fixture
def kit(database: Database) -> TradeKit:
    """A small shop on SQLite."""
    return TradeKit(database)


@pytest.fixture
def pg_kit(pg_database: Database) -> TradeKit:
    """A small shop on PostgreSQL."""
    return TradeKit(pg_database)


@pytest.fixture
def any_kit(any_database: Database) -> TradeKit:
    """The same small shop on both databases."""
    return TradeKit(any_database)


@pytest.fixture
def depot(kit: TradeKit, clock: ManualClock) -> Iterator[Depot]:
    """A depot over the test's database, and the process sending through its carrier."""
    wiring.wire()
    opened = open_depot(kit, clock)
    with opened.in_use():
        yield opened
