"""A simulated shop in a file, for tests of the simulation."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text

from transactional.core.clock import ManualClock
from transactional.core.db import make_engine
from transactional.core.uow import Database
from transactional.schema import migrate
from transactional.settings import Settings
from transactional.simulation.trading import Plan, simulate

PASSWORD = "a long walk by the sea"
SETTINGS = Settings(DATABASE_URL="sqlite://")

Played = tuple[Database, dict[str, int], dict[str, Any]]


@contextmanager
def livelier(habits: Sequence[tuple[ModuleType, str, object]]) -> Iterator[None]:
    """What some do among hundreds, most do meanwhile: (module, name, value) of each habit."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in habits:
            patch.setattr(module, name, value)
        yield


def play(path: Path, plan: Plan) -> Played:
    """Let a shop trade; gives it with what happened how often, and the truth."""
    engine = make_engine(f"sqlite:///{path}")
    migrate(engine)
    database = Database(engine, ManualClock(plan.end))
    counts, truth = simulate(database, plan, settings=SETTINGS, password=PASSWORD)
    return database, counts, truth


def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    """What a statement finds."""
    with database.read() as session:
        return [tuple(row) for row in session.execute(text(sql))]
