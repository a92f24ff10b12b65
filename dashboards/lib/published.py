"""Reading the published snapshot: follow the pointer, open that file read-only, never mix two builds."""

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

_OPEN_FILES = 3


class NothingPublishedError(RuntimeError):
    """No build has passed the audit yet."""


class UnreadableSnapshotError(RuntimeError):
    """The pointer names a file that this process cannot read."""


@dataclass(frozen=True, slots=True)
class Build:
    """What the pointer says of the snapshot it names."""

    path: Path
    build_id: str
    published_at: datetime
    as_of: datetime
    parent: str | None


def current_build(published: Path) -> Build:
    """The build that CURRENT.json names now.

    Raises NothingPublishedError without a pointer, UnreadableSnapshotError for one that makes no sense here.
    """
    pointer = published / "CURRENT.json"
    try:
        content: dict[str, Any] = json.loads(pointer.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NothingPublishedError(f"nothing is published yet: {pointer} does not exist") from None
    except json.JSONDecodeError as error:
        raise UnreadableSnapshotError(f"{pointer} is not valid JSON: {error}") from error
    try:
        build = Build(
            path=published / content["path"],
            build_id=content["build_id"],
            published_at=datetime.fromisoformat(content["published_at"]),
            as_of=datetime.fromisoformat(content["as_of"]),
            parent=content.get("parent"),
        )
    except (KeyError, ValueError) as error:
        raise UnreadableSnapshotError(f"{pointer} lacks or garbles a field: {error}") from error
    written_by = content.get("duckdb_version", duckdb.__version__)
    if written_by != duckdb.__version__:
        raise UnreadableSnapshotError(
            f"build {build.build_id} was written by DuckDB {written_by}; this process has {duckdb.__version__}"
        )
    if not build.path.is_file():
        raise UnreadableSnapshotError(f"{pointer} names {build.path.name}, which does not exist")
    return build


class SnapshotReader:
    """Connections by file, a cursor per query; old files are closed when newer ones push them out."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, duckdb.DuckDBPyConnection] = OrderedDict()
        self._lock = threading.Lock()

    def query(self, build: Build, sql: str, parameters: Sequence[object] = ()) -> pl.DataFrame:
        """Run one SELECT on a build; the tables are those of its schema `marts`."""
        with self._lock:
            cursor = self._connection(build.path).cursor()
        try:
            cursor.execute("SET search_path = 'marts'")
            return cursor.execute(sql, list(parameters)).pl()
        finally:
            cursor.close()

    def _connection(self, path: Path) -> duckdb.DuckDBPyConnection:
        if path in self._open:
            self._open.move_to_end(path)
            return self._open[path]
        connection = duckdb.connect(
            str(path),
            read_only=True,
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
        )
        self._open[path] = connection
        while len(self._open) > _OPEN_FILES:
            _, oldest = self._open.popitem(last=False)
            oldest.close()
        return connection
