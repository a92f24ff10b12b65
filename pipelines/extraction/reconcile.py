"""Reconciliation: the shop's own figures, measured in the extraction snapshot, against what `raw` holds.

A run that copied tables, or was asked for a full reconciliation, measures whole tables; any other run measures the
rows it touched, so that its cost follows what changed. The shop's side is stored in the build; the audit measures
`raw` and compares.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pipelines.contracts import Table, load
from pipelines.extraction.figures import Engine, figures_sql
from pipelines.extraction.snapshot import Snapshot, id_list, parts

_FIGURES = pa.schema(
    [("table_name", pa.string()), ("day", pa.string()), ("measure", pa.string()), ("value", pa.int64())]
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure on which the shop and `raw` disagree; None where one side has no such day."""

    table: str
    day: str
    measure: str
    shop: int | None
    raw: int | None

    def __str__(self) -> str:
        """One line for reports."""
        day = f" on {self.day}" if self.day else ""
        return f"{self.table}{day}: {self.measure} is {self.shop} in the shop and {self.raw} in raw"


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Where the shop's figures and the scope of the comparison are kept until the audit."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS raw_ops.shop_figures"
        " (table_name VARCHAR, day VARCHAR, measure VARCHAR, value BIGINT)"
    )
    connection.execute("CREATE TABLE IF NOT EXISTS raw_ops.reconciled_tables (table_name VARCHAR, whole BOOLEAN)")


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the figures of the run that this build was seeded from."""
    connection.execute("DELETE FROM raw_ops.shop_figures")
    connection.execute("DELETE FROM raw_ops.reconciled_tables")


def store_whole(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, table: Table) -> None:
    """Measure a whole table of the shop."""
    sql = figures_sql(table, Engine(snapshot.dialect), relation=f'"{table.name}"')
    _store(connection, table, [snapshot.query(sql)])
    connection.execute("INSERT INTO raw_ops.reconciled_tables VALUES (?, true)", [table.name])


def store_keys(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, table: Table, keys: list[int]) -> None:
    """Measure these rows of the shop; deleted ones count as absent. They are also the build's changed keys."""
    engine = Engine(snapshot.dialect)
    results = (
        snapshot.query(
            figures_sql(table, engine, relation=f'"{table.name}"', where=f"WHERE id IN ({id_list(part)})"),
        )
        for part in parts(keys)
    )
    _store(connection, table, results)
    connection.execute("INSERT INTO raw_ops.reconciled_tables VALUES (?, false)", [table.name])


def differences(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Table] | None = None
) -> list[Difference]:
    """Every figure on which the shop, as it was at extraction, and `raw`, as it is now, disagree."""
    found: list[Difference] = []
    known = contracts if contracts is not None else load()
    scope = connection.execute("SELECT table_name, whole FROM raw_ops.reconciled_tables ORDER BY table_name").fetchall()
    for name, whole in scope:
        found.extend(_differences_of(connection, known[name], whole=whole))
    return found


def _differences_of(connection: duckdb.DuckDBPyConnection, table: Table, *, whole: bool) -> list[Difference]:
    where = "" if whole else f"WHERE id IN (SELECT row_id FROM raw_ops.changed_keys WHERE table_name = '{table.name}')"  # noqa: S608
    sql = figures_sql(table, Engine.DUCKDB, relation=f'raw."{table.name}"', where=where)
    ours = _sum_up(_long(table, connection.execute(sql).to_arrow_table()))
    theirs = {
        (day, measure): value
        for day, measure, value in connection.execute(
            "SELECT day, measure, value FROM raw_ops.shop_figures WHERE table_name = ?", [table.name]
        ).fetchall()
    }
    return [
        Difference(table.name, day, measure, theirs.get((day, measure)), ours.get((day, measure)))
        for day, measure in sorted(theirs.keys() | ours.keys())
        if theirs.get((day, measure)) != ours.get((day, measure))
    ]


def _store(connection: duckdb.DuckDBPyConnection, table: Table, results: Iterable[pa.Table]) -> None:
    total: dict[tuple[str, str], int] = {}
    for result in results:
        for key, value in _sum_up(_long(table, result)).items():
            total[key] = total.get(key, 0) + value
    figures = pa.Table.from_pylist(
        [
            {"table_name": table.name, "day": day, "measure": measure, "value": value}
            for (day, measure), value in total.items()
        ],
        schema=_FIGURES,
    )
    connection.register("figures", figures)
    connection.execute("INSERT INTO raw_ops.shop_figures SELECT * FROM figures")
    connection.unregister("figures")


def _long(table: Table, result: pa.Table) -> Iterable[tuple[str, str, int]]:
    measures = ["row_count", "hash", *(f"sum:{name}" for name in table.money_columns)]
    for row in result.to_pylist():
        for measure in measures:
            yield row["day"] or "", measure, int(row[measure])


def _sum_up(figures: Iterable[tuple[str, str, int]]) -> dict[tuple[str, str], int]:
    total: dict[tuple[str, str], int] = {}
    for day, measure, value in figures:
        total[day, measure] = total.get((day, measure), 0) + value
    return total
