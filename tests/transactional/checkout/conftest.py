"""A client of the shop's API over the test's own database."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.support.web import make_client
from transactional.core.uow import Database


@pytest.fixture
def client(database: Database, tmp_path: Path) -> TestClient:
    """The whole app on SQLite, its clock standing still."""
    return make_client(database, tmp_path)
