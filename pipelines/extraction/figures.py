"""Figures by which the shop and `raw` are compared: per table and day, row count, money sums and a hash.

The same integer arithmetic runs in SQLite, PostgreSQL and DuckDB. A row's hash is a weighted sum of its columns
modulo a prime, multiplied by its id (so that values swapped between two rows are noticed); a day's hash is the sum of
its rows' hashes, in any order. All figures are additive, so parts of a table may be measured apart and added up.
Texts enter with their length and their first,
middle and last code point, times with their second: it finds lost and stale rows, it is no cryptographic proof.
"""

from collections.abc import Mapping
from enum import StrEnum

from pipelines.contracts import Column, ColumnType, Table

PRIME = 2_147_483_647
"""2³¹ − 1: a product of two remainders still fits into 64 bits on every engine."""

_ABSENT = -7
"""What NULL counts as: none of zero, false and the empty text."""


class Engine(StrEnum):
    """Whose SQL is written."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    DUCKDB = "duckdb"


_TEXT: Mapping[Engine, str] = {
    Engine.SQLITE: (
        "length({c}) * 31 + coalesce(unicode({c}), 0) * 17 + coalesce(unicode(substr({c}, -1)), 0)"
        " + coalesce(unicode(substr({c}, length({c}) / 2 + 1, 1)), 0) * 7"
    ),
    Engine.POSTGRESQL: (
        "char_length({c})::bigint * 31 + ascii({c})::bigint * 17 + ascii(right({c}, 1))"
        " + ascii(substr({c}, char_length({c}) / 2 + 1, 1))::bigint * 7"
    ),
    Engine.DUCKDB: (
        "length({c}) * 31 + greatest(unicode({c}), 0)::BIGINT * 17 + greatest(unicode(right({c}, 1)), 0)"
        " + greatest(unicode(substr({c}, length({c}) // 2 + 1, 1)), 0)::BIGINT * 7"
    ),
}
_SECOND: Mapping[Engine, str] = {
    Engine.SQLITE: "unixepoch(substr({c}, 1, 19))",
    Engine.POSTGRESQL: "extract(epoch FROM date_trunc('second', {c}))::bigint",
    Engine.DUCKDB: "epoch_us(date_trunc('second', {c})) // 1000000",
}
_DATE: Mapping[Engine, str] = {
    Engine.SQLITE: "unixepoch({c})",
    Engine.POSTGRESQL: "extract(epoch FROM {c})::bigint",
    Engine.DUCKDB: "epoch_us({c}::TIMESTAMP) // 1000000",
}
_BOOLEAN: Mapping[Engine, str] = {
    Engine.SQLITE: "{c}",
    Engine.POSTGRESQL: "{c}::int::bigint",
    Engine.DUCKDB: "{c}::BIGINT",
}
_INTEGER: Mapping[Engine, str] = {
    Engine.SQLITE: "{c}",
    Engine.POSTGRESQL: "{c}::bigint",
    Engine.DUCKDB: "{c}",
}
_DAY: Mapping[Engine, str] = {
    Engine.SQLITE: "substr({c}, 1, 10)",
    Engine.POSTGRESQL: "to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
    Engine.DUCKDB: "strftime({c}, '%Y-%m-%d')",
}


def figures_sql(table: Table, engine: Engine, *, relation: str, where: str = "") -> str:
    """A query for `(day, row_count, hash, sum of each money column)`; day is empty where rows have no time."""
    day = _DAY[engine].format(c=f'"{table.day_column}"') if table.day_column else "''"
    wide = "BIGINT" if engine is not Engine.SQLITE else "INTEGER"
    sums = "".join(
        f', cast(coalesce(sum("{name}"), 0) AS {wide}) AS "{_sum_name(name)}"' for name in table.money_columns
    )
    return (
        f"SELECT {day} AS day, count(*) AS row_count,"  # noqa: S608 - names come from the contracts
        f" cast(coalesce(sum({_row_hash(table, engine)}), 0) AS {wide}) AS hash{sums}"
        f" FROM {relation} {where} GROUP BY 1"
    )


def _row_hash(table: Table, engine: Engine) -> str:
    terms = [
        f"coalesce({_value(column, engine)} % {PRIME}, {_ABSENT}) * {7919 * (position + 1)}"
        for position, column in enumerate(table.columns)
    ]
    return f'(({" + ".join(terms)}) % {PRIME}) * ("id" % {PRIME}) % {PRIME}'


def _value(column: Column, engine: Engine) -> str:
    name = f'"{column.name}"'
    if column.type is ColumnType.JSON and engine is Engine.POSTGRESQL:
        name = f"{name}::text"
    templates = {
        ColumnType.BIGINT: _INTEGER,
        ColumnType.BOOLEAN: _BOOLEAN,
        ColumnType.DATE: _DATE,
        ColumnType.TIMESTAMP: _SECOND,
    }
    return f"({templates.get(column.type, _TEXT)[engine].format(c=name)})"


def _sum_name(column: str) -> str:
    return f"sum:{column}"
