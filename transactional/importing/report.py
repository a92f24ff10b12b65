"""What a file held and what became of it, in figures that must add up."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import polars as pl

from transactional.importing.classify import RowClass
from transactional.importing.errors import ImportRefused
from transactional.importing.parsing import MICROS
from transactional.importing.reading import COLUMNS


@dataclass(frozen=True, slots=True)
class Figures:
    """Rows, distinct invoices and customers, units and exact amount (millionths) of a set of rows."""

    rows: int
    invoices: int
    customers: int
    units: int
    amount_micros: int

    @property
    def amount(self) -> Decimal:
        """In the major unit, rounded once, half away from zero."""
        return (Decimal(self.amount_micros) / MICROS).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)

    def as_json(self) -> dict[str, Any]:
        """For the report; the amount as a plain number."""
        values = asdict(self)
        del values["amount_micros"]
        return values | {"amount": float(self.amount)}


def figures(rows: pl.DataFrame) -> Figures:
    """The figures of any set of classified rows."""
    values = rows.select(
        pl.len().alias("rows"),
        pl.col("ref").drop_nulls().n_unique().alias("invoices"),
        pl.col("customer").drop_nulls().n_unique().alias("customers"),
        pl.col("units").sum().alias("units"),
        pl.col("amount_micros").sum().alias("amount_micros"),
    ).row(0, named=True)
    return Figures(**values)


def by_class(rows: pl.DataFrame) -> dict[str, Figures]:
    """The figures of every class that occurs, in the order of the rules."""
    parts = {str(key[0]): part for key, part in rows.partition_by("row_class", as_dict=True).items()}
    return {member.value: figures(parts[member.value]) for member in RowClass if member.value in parts}


def file_profile(rows: pl.DataFrame) -> dict[str, Any]:
    """What the file says about itself, before any class is given."""
    whole = figures(rows)
    return whole.as_json() | {
        "stock_codes": rows["stock_code"].drop_nulls().n_unique(),
        "countries": rows["land"].drop_nulls().n_unique(),
        "first": _iso(rows["moment"].min()),
        "last": _iso(rows["moment"].max()),
        "exact_duplicate_rows": rows.height - rows.select("sheet", *COLUMNS).unique().height,
    }


def check_balance(label: str, rows: pl.DataFrame) -> None:
    """Rows, units and amounts of the classes must sum to the file's own.

    The file's own amount is taken anew from its cells, as exact decimal products, not from what the classes are
    summed from. Raises ImportRefused where they differ.
    """
    classes = by_class(rows).values()
    expected = (rows.height, _own_units(rows), _own_amount_micros(rows))
    found = (
        sum(part.rows for part in classes),
        sum(part.units for part in classes),
        sum(part.amount_micros for part in classes),
    )
    if expected != found:
        raise ImportRefused(f"{label}: the classes sum to {found}, the file to {expected} (rows, units, millionths)")


def _own_units(rows: pl.DataFrame) -> int:
    return int(rows["units"].sum())


def _own_amount_micros(rows: pl.DataFrame) -> int:
    """Σ quantity × price as decimals; identical pairs are multiplied once."""
    readable = rows.filter(pl.col("amount_micros").is_not_null())
    pairs = readable.group_by("quantity", "price").agg(pl.len().alias("times"))
    total = sum(
        (Decimal(quantity.strip()) * _rounded_price(price) * times for quantity, price, times in pairs.iter_rows()),
        start=Decimal(0),
    )
    return int((total * MICROS).to_integral_value(rounding=ROUND_HALF_UP))


def _rounded_price(text: str) -> Decimal:
    return Decimal(text.strip()).quantize(Decimal(1) / MICROS, rounding=ROUND_HALF_UP)


def classes_json(classes: Mapping[str, Figures]) -> dict[str, Any]:
    """Every class of the rules, also those without a row."""
    empty = Figures(0, 0, 0, 0, 0)
    return {member.value: classes.get(member.value, empty).as_json() for member in RowClass}


def _iso(moment: Any) -> str | None:
    return moment.isoformat(timespec="seconds") + "Z" if moment is not None else None
