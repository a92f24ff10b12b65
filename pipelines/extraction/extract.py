"""One extraction: a snapshot of the shop merged into a build, exactly once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from pipelines import contracts, faults
from pipelines.contracts import Table
from pipelines.duck import attached
from pipelines.errors import FullCopyRequired
from pipelines.extraction import changes, ledgers, merge, reconcile
from pipelines.extraction import cursor as cursors
from pipelines.extraction.ahead import ahead
from pipelines.extraction.cursor import Cursor
from pipelines.extraction.open import open_snapshot
from pipelines.extraction.snapshot import Keys, Snapshot

Mode = Literal["whole", "changes"]


@dataclass(frozen=True, slots=True)
class TableReport:
    """What happened to one raw table. `rows_deleted` counts touched ids that the shop no longer has."""

    table: str
    mode: Mode
    rows_read: int
    rows_deleted: int


@dataclass(frozen=True, slots=True)
class ExtractionReport:
    """What one extraction did; tables without a change are left out."""

    tables: tuple[TableReport, ...]
    cursor: Cursor
    full: bool

    @property
    def rows_read(self) -> int:
        """Rows that came from the shop."""
        return sum(table.rows_read for table in self.tables)

    @property
    def rows_deleted(self) -> int:
        """Rows that the shop no longer has."""
        return sum(table.rows_deleted for table in self.tables)


def extract(
    database_url: str,
    build: Path,
    *,
    now: datetime,
    full: bool = False,
    reconcile_all: bool = False,
    on_table: Callable[[TableReport], None] = lambda _report: None,
    tables: Mapping[str, Table] | None = None,
) -> ExtractionReport:
    """Bring `raw` in the build to what the shop holds now; rows, deletes and cursor in one DuckDB transaction.

    `full` copies whole tables; so does a first run, and a table whose contract changed. `reconcile_all` measures
    whole tables for the audit instead of the touched rows. Raises `FullCopyRequired`, `ContractBroken` or
    `ShopUnreachable`; the build is then unchanged.
    """
    wanted = tables if tables is not None else contracts.load()
    with attached(build) as warehouse:
        cursors.create_tables(warehouse)
        changes.create_tables(warehouse)
        reconcile.create_tables(warehouse)
        ledgers.create_tables(warehouse)
        known = None if full else cursors.read(warehouse)
        with open_snapshot(database_url) as shop:
            if known is not None:
                _check(shop, known)
            faults.reach("in_snapshot")
            run = _Run(shop, warehouse, known, reconcile_all=reconcile_all, on_table=on_table)
            warehouse.execute("BEGIN")
            try:
                report = run.merge_all(wanted, now)
                faults.reach("before_merge_commit")
                warehouse.execute("COMMIT")
            except BaseException:
                warehouse.execute("ROLLBACK")
                raise
    faults.reach("after_merge")
    return report


def _check(shop: Snapshot, known: Cursor) -> None:
    if known.dialect != shop.dialect:
        raise FullCopyRequired(f"The warehouse was read from {known.dialect}, but the shop is on {shop.dialect}.")
    present = shop.source_id()
    if known.source_id and known.source_id != present:
        raise FullCopyRequired("The warehouse was read from another shop database than the present one.")
    shop.check(known)


class _Run:
    """One snapshot merged into one open build."""

    def __init__(
        self,
        shop: Snapshot,
        warehouse: duckdb.DuckDBPyConnection,
        known: Cursor | None,
        *,
        reconcile_all: bool,
        on_table: Callable[[TableReport], None],
    ) -> None:
        self._shop = shop
        self._warehouse = warehouse
        self._known = known
        self._reconcile_all = reconcile_all
        self._on_table = on_table

    def merge_all(self, tables: Mapping[str, Table], now: datetime) -> ExtractionReport:
        """Every table, then the cursor."""
        own_feeds = tuple(table.name for table in tables.values() if table.feed == "own")
        moved_to = self._shop.cursor(own_feeds)
        changed = self._shop.changed_keys(self._known) if self._known is not None else {}
        changes.forget(self._warehouse)
        reconcile.forget(self._warehouse)
        merge.drop_strangers(self._warehouse, tables)
        reports = []
        for table in tables.values():
            report = self._merge(table, changed)
            if report is not None:
                reports.append(report)
                self._on_table(report)
            faults.reach(f"in_merge:{table.name}")
        copied = any(report.mode == "whole" for report in reports)
        changes.record_state(self._warehouse, full=self._known is None or copied)
        everybody = self._known is None or copied or self._reconcile_all
        shown = [ledger for ledger in ledgers.LEDGERS if ledger.table in tables]
        ledgers.store(self._warehouse, self._shop, None if everybody else changed, shown)
        cursors.write(self._warehouse, moved_to, now=now)
        return ExtractionReport(tuple(reports), moved_to, full=self._known is None)

    def _merge(self, table: Table, changed: Keys) -> TableReport | None:
        position = self._known.positions.get(table.name) if self._known is not None else None
        first_of_own = table.feed == "own" and position is None
        if self._known is None or first_of_own or not merge.has_shape(self._warehouse, table):
            return self._copy(table)
        report = self._append(table, position) if position is not None else self._apply(table, changed)
        if self._reconcile_all and report is None:
            reconcile.store_whole(self._warehouse, self._shop, table)
        return report

    def _copy(self, table: Table) -> TableReport:
        read = merge.replace(self._warehouse, table, ahead(self._shop.read_all(table)))
        reconcile.store_whole(self._warehouse, self._shop, table)
        return TableReport(table.name, "whole", read, 0)

    def _append(self, table: Table, position: int) -> TableReport | None:
        keys: list[int] = []
        read = 0
        for chunk in self._shop.read_since(table, position):
            merge.delete(self._warehouse, table, chunk.column("id"))
            read += merge.append(self._warehouse, table, [chunk])
            keys.extend(chunk.column("id").to_pylist())
        if not read:
            return None
        self._record(table, keys)
        return TableReport(table.name, "changes", read, 0)

    def _apply(self, table: Table, changed: Keys) -> TableReport | None:
        keys = changed.get(table.name)
        if not keys:
            return None
        merge.delete(self._warehouse, table, pa.array(keys, pa.int64()))
        read = merge.append(self._warehouse, table, self._shop.read_keys(table, keys))
        self._record(table, keys)
        return TableReport(table.name, "changes", read, rows_deleted=len(keys) - read)

    def _record(self, table: Table, keys: list[int]) -> None:
        changes.record(self._warehouse, table.name, keys)
        if self._reconcile_all:
            reconcile.store_whole(self._warehouse, self._shop, table)
        else:
            reconcile.store_keys(self._warehouse, self._shop, table, keys)
