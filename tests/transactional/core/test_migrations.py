"""The history of the schema: a shop that has rows climbs it and loses nothing, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url

from transactional import tables
from transactional.core.db import make_engine
from transactional.schema import migrate, pending_revision

_FIRST = "0001"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without a single table."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    if request.param == "postgres":
        url = _empty_postgres(request.getfixturevalue("pg_url"))
    engine = make_engine(url)
    yield engine
    engine.dispose()


def _empty_postgres(url: str) -> str:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.mark.slow
def test_a_shop_of_the_first_release_climbs_to_the_newest_with_its_rows(empty: Engine) -> None:
    migrate(empty, _FIRST)
    with empty.begin() as connection:
        connection.execute(text("INSERT INTO locations (code, name) VALUES ('main', 'Store room')"))
        connection.execute(
            text("INSERT INTO categories (slug, name, position) VALUES ('mugs', 'Mugs', 1), ('tea', 'चाय', 2)")
        )
    assert pending_revision(empty) is not None
    migrate(empty)
    assert pending_revision(empty) is None
    with empty.connect() as connection:
        assert connection.execute(text("SELECT name FROM categories ORDER BY id")).scalars().all() == ["Mugs", "चाय"]
        assert connection.execute(text("SELECT code FROM locations")).scalars().all() == ["main"]


@pytest.mark.slow
def test_the_migrations_make_exactly_the_mapped_tables_and_columns(empty: Engine) -> None:
    migrate(empty)
    found = inspect(empty)
    for table in tables.metadata.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert columns == {column.name: column.nullable for column in table.columns}, table.name
        unique = {constraint["name"] for constraint in found.get_check_constraints(table.name)}
        wanted = {str(check.name) for check in table.constraints if type(check).__name__ == "CheckConstraint"}
        assert wanted <= unique, table.name


@pytest.mark.slow
def test_migrating_again_changes_nothing(empty: Engine) -> None:
    migrate(empty)
    migrate(empty)
    assert pending_revision(empty) is None


@pytest.mark.slow
def test_sqlite_still_refuses_dangling_references_afterwards(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    migrate(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()
