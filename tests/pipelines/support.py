"""What several tests of the pipelines need: rows put into a shop by plain SQL, and looks into a build."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from pipelines.duck import attached
from pipelines.extraction import ExtractionReport, extract
from transactional.core.uow import Database

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)

INSERT_CUSTOMER = (
    "INSERT INTO customers (id, email, full_name, acquisition_channel, marketing_consent, is_guest, source, created_at)"
    " VALUES (:id, :email, :name, 'direct', :yes, :no, 'shop', :at)"
)


def customer(key: int, *, name: str | None = None, email: str | None = None, at: datetime = NOW) -> dict[str, Any]:
    """Parameters for `INSERT_CUSTOMER`."""
    # Text is what the shop's own type stores on SQLite; PostgreSQL reads it as UTC (the session's zone).
    return {"id": key, "name": name, "email": email, "yes": True, "no": False, "at": f"{at:%Y-%m-%d %H:%M:%S.%f}"}


def run_sql(database: Database, sql: str, *rows: dict[str, Any]) -> None:
    """Execute and commit, as bulk SQL that no ORM hook sees."""
    with database.engine.begin() as connection:
        connection.execute(text(sql), list(rows) if rows else None)


def add_customers(database: Database, *rows: dict[str, Any]) -> None:
    """Insert and commit customers."""
    run_sql(database, INSERT_CUSTOMER, *rows)


def url_of(database: Database) -> str:
    """The shop's URL as `DATABASE_URL` would hold it."""
    return database.engine.url.render_as_string(hide_password=False)


def extract_into(build: Path, database: Database, **options: Any) -> ExtractionReport:
    """One extraction at a fixed time."""
    return extract(url_of(database), build, now=NOW, **options)


def raw(build: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query on the build."""
    with attached(build, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def customer_ids(build: Path) -> list[int]:
    """The customers that `raw` knows."""
    return [row[0] for row in raw(build, "SELECT id FROM raw.customers ORDER BY id")]
