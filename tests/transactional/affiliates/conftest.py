"""A desk of affiliates over the test's shop."""

import pytest

from tests.support.trade import TradeKit, settings
from tests.transactional.affiliates.desk import Desk
from transactional.core.clock import ManualClock


@pytest.fixture
def desk(kit: TradeKit, clock: ManualClock) -> Desk:
    """On SQLite."""
    return Desk(kit, clock, settings())


@pytest.fixture
def pg_desk(pg_kit: TradeKit, clock: ManualClock) -> Desk:
    """On PostgreSQL, for real threads."""
    return Desk(pg_kit, clock, settings())
