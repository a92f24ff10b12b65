"""Fixtures of the shop's tests."""

import pytest

from tests.support.trade import TradeKit
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
