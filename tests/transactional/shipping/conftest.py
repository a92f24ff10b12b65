"""A depot over the test's database, and the process sending through its carrier."""

from collections.abc import Iterator

import pytest

from tests.support.trade import TradeKit
from tests.transactional.shipping.depot import Depot, open_depot
from transactional import wiring
from transactional.core.clock import ManualClock


@pytest.fixture
def depot(kit: TradeKit, clock: ManualClock) -> Iterator[Depot]:
    """On SQLite."""
    wiring.wire()
    opened = open_depot(kit, clock)
    with opened.in_use():
        yield opened


@pytest.fixture
def any_depot(any_kit: TradeKit, clock: ManualClock) -> Iterator[Depot]:
    """On both databases."""
    wiring.wire()
    opened = open_depot(any_kit, clock)
    with opened.in_use():
        yield opened
