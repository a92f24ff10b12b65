"""A depot on both databases."""

from collections.abc import Iterator

import pytest

from tests.support.trade import TradeKit
from tests.transactional.shipping.depot import Depot, open_depot
from transactional import wiring
from transactional.core.clock import ManualClock


@pytest.fixture
def any_depot(any_kit: TradeKit, clock: ManualClock) -> Iterator[Depot]:
    """On both databases."""
    wiring.wire()
    opened = open_depot(any_kit, clock)
    with opened.in_use():
        yield opened
