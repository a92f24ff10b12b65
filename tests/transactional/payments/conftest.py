"""A till over the test's database, and the process paying through its gateway."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transactional.payments.till import Desk, Till, open_till
from transactional.core.clock import ManualClock
from transactional.core.uow import Database
from transactional.payments import (
    jobs,  # noqa: F401  registers the handlers
    service,
)


@pytest.fixture
def till(database: Database, clock: ManualClock) -> Iterator[Till]:
    """On SQLite."""
    opened = open_till(database, clock)
    with service.gateway_in_use(opened.gateway):
        yield opened


@pytest.fixture
def pg_till(pg_database: Database, clock: ManualClock) -> Iterator[Till]:
    """On PostgreSQL, for real threads."""
    opened = open_till(pg_database, clock)
    with service.gateway_in_use(opened.gateway):
        yield opened


@pytest.fixture
def desk(database: Database, clock: ManualClock, _sqlite_template: Path) -> Desk:
    """Many empty shops in one test."""
    return Desk(database, clock, _sqlite_template)
