"""A served shop: a published snapshot and an MLflow store that is empty until a test fills it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.champions import Registry
from serving.settings import Settings
from serving.state import Keeper
from tests.serving.snapshots import LINES, PRODUCTS, publish


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Folders of this test's own; the thread looks once and then waits, so that tests decide when to look again."""
    (tmp_path / "mlflow").mkdir()
    return Settings(
        published=tmp_path / "published",
        mlflow_uri=f"sqlite:///{tmp_path / 'mlflow' / 'mlflow.db'}",
        poll_seconds=0.02,
    )


@pytest.fixture
def keeper(settings: Settings) -> Keeper:
    """A keeper without its thread: `refresh` is called by the test."""
    return Keeper(settings, Registry(settings.mlflow_uri))


@pytest.fixture
def small_shop(settings: Settings) -> Settings:
    """Five products, nine orders."""
    publish(settings.published, "build-1", products=PRODUCTS, lines=LINES)
    return settings


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """The application with its thread running."""
    with TestClient(create_app(settings)) as client:
        yield client
