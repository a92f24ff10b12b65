"""One refreshed warehouse for all tests that only look at it, and copies of it for those that change something."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipelines.house import Warehouse, imported


@pytest.fixture(scope="session")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The imported shop after its first refresh. Look, do not touch."""
    warehouse = imported(tmp_path_factory.mktemp("warehouse") / "var")
    warehouse.refresh()
    return warehouse


@pytest.fixture
def fresh_copy(refreshed: Warehouse, tmp_path: Path) -> Callable[[str], Warehouse]:
    """Copies of the refreshed warehouse, by name."""

    def copy(name: str) -> Warehouse:
        target = tmp_path / name
        shutil.copytree(refreshed.var, target, symlinks=True)
        return Warehouse(target)

    return copy


@pytest.fixture
def warehouse(fresh_copy: Callable[[str], Warehouse]) -> Warehouse:
    """A refreshed warehouse of one's own."""
    return fresh_copy("var")
