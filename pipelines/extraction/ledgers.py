"""Ledgers of the shop, summed up by their owner in the extraction's snapshot, against the facts of the warehouse.

Row hashes prove that `raw` is the shop's; these sums prove that what readers get from the facts, several steps later,
still is the shop's ledger, to the point and to the smallest unit of money: per owner and in sum. The whole sum is
measured in every run; owners are measured where the run copied or reconciled everything, and otherwise those whose
entries it touched.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pipelines.extraction.snapshot import Keys, Snapshot, id_list, parts

_SUMS = pa.schema([("owner_id", pa.int64()), ("measure", pa.string()), ("value", pa.int64())])
_EVERYBODY = 0
"""The owner of the whole sum; keys of the shop begin with 1."""
_ENTRIES = "entries"


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger of the shop and the fact that shows it; `measures` are the shop's columns and the fact's."""

    table: str
    owner: str
    mart: str
    measures: Mapping[str, str]


POINTS = Ledger("point_entries", "customer_id", "fct_points", {"points": "points", "qualifying": "qualifying_points"})
COMMISSIONS = Ledger(
    "commission_entries",
    "affiliate_id",
    "fct_commissions",
    {name: name for name in ("pending_minor", "payable_minor", "owed_minor")},
)
LEDGERS = (POINTS, COMMISSIONS)


@dataclass(frozen=True, slots=True)
class LedgerDifference:
    """One sum on which the shop and a fact disagree; None where the fact knows no such owner."""

    ledger: Ledger
    owner_id: int
    measure: str
    shop: int
    warehouse: int | None

    def __str__(self) -> str:
        """One line for reports."""
        whose = "in all" if self.owner_id == _EVERYBODY else f"of {self.ledger.owner} {self.owner_id}"
        return f"{self.measure} {whose} is {self.shop} in the shop and {self.warehouse} in {self.ledger.mart}"


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Where the shop's sums are kept until the audit."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS raw_ops.shop_ledgers"
        " (ledger VARCHAR, owner_id BIGINT, measure VARCHAR, value BIGINT)"
    )


def store(
    connection: duckdb.DuckDBPyConnection,
    snapshot: Snapshot,
    touched: Keys | None,
    ledgers: Iterable[Ledger] = LEDGERS,
) -> None:
    """Measure every ledger of the shop; `touched` are the run's changed keys, None where everybody is measured."""
    connection.execute("DELETE FROM raw_ops.shop_ledgers")
    for ledger in ledgers:
        relation = f'"{ledger.table}"'
        results = [snapshot.query(_sums_sql(ledger, relation, owner=str(_EVERYBODY), columns=list(ledger.measures)))]
        for where in _selections(snapshot, ledger, touched):
            sql = _sums_sql(ledger, relation, owner=f'"{ledger.owner}"', columns=list(ledger.measures), where=where)
            results.append(snapshot.query(sql))
        _append(connection, ledger, results)


def differences(connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> list[LedgerDifference]:
    """Every sum of the shop, as it was at extraction, that the ledger's fact does not give now.

    Entries under an owner whom the shop does not know are found by the number of entries in all.
    """
    theirs = connection.execute(
        "SELECT owner_id, measure, value FROM raw_ops.shop_ledgers WHERE ledger = ? ORDER BY 1, 2", [ledger.table]
    ).fetchall()
    ours = _fact_sums(connection, ledger)
    return [
        LedgerDifference(ledger, owner_id, measure, value, ours.get((owner_id, measure)))
        for owner_id, measure, value in theirs
        if ours.get((owner_id, measure)) != value
    ]


def _selections(snapshot: Snapshot, ledger: Ledger, touched: Keys | None) -> Iterable[str]:
    """Which owners are measured, a condition at a time. An entry that was deleted leaves its owner to the whole sum."""
    if touched is None:
        yield ""
        return
    owners: set[int] = set()
    for keys in parts(list(touched.get(ledger.table, []))):
        found = snapshot.query(f'SELECT DISTINCT "{ledger.owner}" FROM "{ledger.table}" WHERE id IN ({id_list(keys)})')  # noqa: S608 - our own names
        owners.update(int(owner) for owner in found.column(0).to_pylist())
    for among in parts(sorted(owners)):
        yield f'WHERE "{ledger.owner}" IN ({id_list(among)})'


def _sums_sql(ledger: Ledger, relation: str, *, owner: str, columns: list[str], where: str = "") -> str:
    """`(owner_id, entries, a sum a measure)`; without entries the whole sum is a row of zeros, an owner none."""
    sums = "".join(
        f', CAST(coalesce(sum("{column}"), 0) AS BIGINT) AS "{name}"'
        for name, column in zip(ledger.measures, columns, strict=True)
    )
    grouped = "" if owner == str(_EVERYBODY) else f"GROUP BY {owner}"
    return (
        f'SELECT {owner} AS owner_id, CAST(count(*) AS BIGINT) AS "{_ENTRIES}"{sums} FROM {relation} {where} {grouped}'  # noqa: S608 - our own names
    )


def _fact_sums(connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> dict[tuple[int, str], int]:
    relation, columns = f'marts."{ledger.mart}"', list(ledger.measures.values())
    results = [
        connection.execute(_sums_sql(ledger, relation, owner=owner, columns=columns)).to_arrow_table()
        for owner in (str(_EVERYBODY), f'"{ledger.owner}"')
    ]
    return {(owner_id, measure): value for owner_id, measure, value in _long(ledger, results)}


def _append(connection: duckdb.DuckDBPyConnection, ledger: Ledger, results: list[pa.Table]) -> None:
    sums = pa.Table.from_pylist(
        [{"owner_id": owner, "measure": measure, "value": value} for owner, measure, value in _long(ledger, results)],
        schema=_SUMS,
    )
    connection.register("ledger_sums", sums)
    connection.execute("INSERT INTO raw_ops.shop_ledgers SELECT ?, * FROM ledger_sums", [ledger.table])
    connection.unregister("ledger_sums")


def _long(ledger: Ledger, results: Iterable[pa.Table]) -> list[tuple[int, str, int]]:
    return [
        (int(row["owner_id"]), measure, int(row[measure]))
        for result in results
        for row in result.to_pylist()
        for measure in (_ENTRIES, *ledger.measures)
    ]
