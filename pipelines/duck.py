"""Opening DuckDB files: always under one catalogue name, never fetching anything, never more memory than told."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

CATALOGUE = "warehouse"
"""DuckDB names a catalogue after its file and views carry the name; one alias keeps them valid under every name."""

_CONFIG = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def memory_limit() -> str:
    """How much memory one connection may take, from `MLT_DUCKDB_MEMORY`."""
    return os.environ.get("MLT_DUCKDB_MEMORY", "4GB")


@contextmanager
def attached(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose current catalogue is the file at `path`, attached as `warehouse`.

    A file that does not exist is created unless `read_only`. Raises `duckdb.IOException` while another process
    writes the file.
    """
    connection = duckdb.connect(":memory:", config={**_CONFIG, "memory_limit": memory_limit()})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")  # its bar would tear the run's own lines apart
        mode = " (READ_ONLY)" if read_only else ""
        connection.execute(f"ATTACH {literal(str(path))} AS {CATALOGUE}{mode}")
        connection.execute(f"USE {CATALOGUE}")
        yield connection
    finally:
        connection.close()


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A quoted SQL string."""
    return "'" + text.replace("'", "''") + "'"
