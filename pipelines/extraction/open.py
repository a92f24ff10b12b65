"""The shop's database by its URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipelines.errors import ShopUnreachable
from pipelines.extraction.postgres import open_postgres
from pipelines.extraction.snapshot import Snapshot
from pipelines.extraction.sqlite import open_sqlite


@contextmanager
def open_snapshot(database_url: str) -> Iterator[Snapshot]:
    """One consistent, read-only view of the shop, SQLite or PostgreSQL.

    A driver in the URL (`postgresql+psycopg://`) is ignored: reading goes through ADBC. Raises `ShopUnreachable`.
    """
    scheme = urlsplit(database_url).scheme.split("+")[0]
    if scheme == "sqlite":
        with open_sqlite(Path(unquote(database_url.split("///", 1)[1].split("?", maxsplit=1)[0]))) as snapshot:
            yield snapshot
    elif scheme in {"postgresql", "postgres"}:
        with open_postgres("postgresql://" + database_url.split("://", 1)[1]) as snapshot:
            yield snapshot
    else:
        raise ShopUnreachable(f"DATABASE_URL must begin with sqlite:/// or postgresql://, not {scheme!r}.")
