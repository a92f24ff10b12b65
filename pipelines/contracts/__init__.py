"""The contract between the shop and `raw`: one YAML file a table (Open Data Contract Standard).

It says which columns leave the shop, their type in the warehouse, which may be NULL, the key, the unit and the class
of personal data. Extraction reads and casts by it; a test compares it with the shop's own tables, so that a migration
which renames, drops or retypes a column that analytics reads fails in the same change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import yaml

FOLDER = Path(__file__).parent / "tables"


class ColumnType(StrEnum):
    """What a column is in `raw`; JSON is kept as its text."""

    BIGINT = "BIGINT"
    VARCHAR = "VARCHAR"
    JSON = "JSON"
    BOOLEAN = "BOOLEAN"
    TIMESTAMP = "TIMESTAMP"
    DATE = "DATE"


_ARROW: Mapping[ColumnType, pa.DataType] = {
    ColumnType.BIGINT: pa.int64(),
    ColumnType.VARCHAR: pa.string(),
    ColumnType.JSON: pa.string(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.TIMESTAMP: pa.timestamp("us"),
    ColumnType.DATE: pa.date32(),
}

Feed = Literal["journal", "own"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column that leaves the shop. `unit` is e.g. `minor` (of the row's currency), `basis_points`, `grams`."""

    name: str
    type: ColumnType
    nullable: bool
    key: bool = False
    unit: str | None = None
    personal_data: str = "none"

    @property
    def sql_type(self) -> str:
        """The DuckDB type in `raw`."""
        return "VARCHAR" if self.type is ColumnType.JSON else self.type.value


@dataclass(frozen=True, slots=True)
class Table:
    """One raw table. `feed` says how changes are found: by the shop's journal, or the table is its own feed."""

    name: str
    columns: tuple[Column, ...]
    feed: Feed = "journal"
    day_column: str | None = None
    """The time by whose day (UTC) the table is reconciled; None where a row has no time of its own."""

    @property
    def arrow_schema(self) -> pa.Schema:
        """Every chunk is cast to this before it goes into `raw`."""
        return pa.schema([pa.field(column.name, _ARROW[column.type]) for column in self.columns])

    @property
    def money_columns(self) -> tuple[str, ...]:
        """Columns that count minor units of a currency."""
        return tuple(column.name for column in self.columns if column.unit == "minor")

    def column(self, name: str) -> Column:
        """The column of that name; KeyError where the contract has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"the contract of raw.{self.name} has no column {name!r}")


def parse(document: Mapping[str, Any]) -> Table:
    """A table from its contract document."""
    schema = document["schema"][0]
    custom = {entry["property"]: entry["value"] for entry in schema.get("customProperties", ())}
    columns = tuple(
        Column(
            name=entry["name"],
            type=ColumnType(entry["physicalType"]),
            nullable=not entry.get("required", False),
            key=entry.get("primaryKey", False),
            unit=entry.get("unit"),
            personal_data=entry.get("classification", "none"),
        )
        for entry in schema["properties"]
    )
    return Table(
        name=schema["name"], columns=columns, feed=custom.get("feed", "journal"), day_column=custom.get("dayColumn")
    )


@lru_cache(maxsize=1)
def load() -> Mapping[str, Table]:
    """Every contract, by table name."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    tables = [parse(yaml.load(path.read_text("utf-8"), Loader=loader)) for path in sorted(FOLDER.glob("*.yml"))]  # noqa: S506 - both are safe loaders
    return {table.name: table for table in tables}
