"""A back office over the test's shop."""

import pytest

from tests.support.trade import TradeKit
from tests.transactional.documents.office import Office, seller


@pytest.fixture
def office(kit: TradeKit) -> Office:
    """On SQLite."""
    return Office(kit, seller())


@pytest.fixture
def pg_office(pg_kit: TradeKit) -> Office:
    """On PostgreSQL, for real threads."""
    return Office(pg_kit, seller())
