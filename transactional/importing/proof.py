"""What an import wrote, read back from the database and held against the rows it came from."""

from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from transactional import tables
from transactional.core.money import Money
from transactional.importing.bulk import BulkWriter
from transactional.importing.classify import RowClass
from transactional.importing.currency import Conversion
from transactional.importing.errors import ImportRefused

_WATCHED = ("orders", "order_lines", "return_lines", "order_credits", "stock_movements")


@dataclass(frozen=True, slots=True)
class Marks:
    """The first id that this import gives in each watched table."""

    first: dict[str, int]


def mark(writer: BulkWriter) -> Marks:
    """Remember where the watched tables end before anything is written."""
    return Marks({table: writer.reserve(table, 0) for table in _WATCHED})


def prove(session: Session, marks: Marks, rows: pl.DataFrame, money: Conversion) -> dict[str, Any]:
    """Read the sums back. Raises ImportRefused where they are not those of the rows; gives them for the report."""
    booked = _Booked(session, marks)
    taken = rows.filter(pl.col("reason").is_null())
    on_order = pl.col("on_order")
    expected = {
        "gross_merchandise": _sum(taken, RowClass.MERCHANDISE, money),
        "shipping_charged": _sum(taken.filter(on_order), RowClass.SHIPPING, money),
        "shipping_refunded": -_sum(taken.filter(~on_order), RowClass.SHIPPING, money),
        "returned": -_sum(taken, RowClass.RETURN, money),
        "discounts": -_sum(taken, RowClass.DISCOUNT, money),
        "units_sold": _units(taken, RowClass.MERCHANDISE),
        "units_returned": -_units(taken, RowClass.RETURN),
        "units_adjusted": _units(taken, RowClass.STOCK_ADJUSTMENT),
    }
    found = {
        "gross_merchandise": booked.sum("order_lines", "gross_minor"),
        "shipping_charged": booked.sum("orders", "shipping_minor"),
        "shipping_refunded": booked.sum("order_credits", "amount_minor", kind="shipping_refund"),
        "returned": booked.sum("return_lines", "refund_minor"),
        "discounts": booked.sum("order_credits", "amount_minor", kind="discount"),
        "units_sold": booked.sum("order_lines", "quantity"),
        "units_returned": booked.sum("return_lines", "quantity"),
        "units_adjusted": booked.sum("stock_movements", "quantity", kind="adjustment"),
    }
    wrong = [f"{name}: {found[name]} instead of {value}" for name, value in expected.items() if found[name] != value]
    if wrong:
        raise ImportRefused("the shop's sums are not the file's: " + "; ".join(wrong))
    linked = booked.table("return_lines").c.order_line_id.is_not(None)
    amounts = {
        name: value if name.startswith("units") else float(Money(value, money.base).amount)
        for name, value in found.items()
    }
    return amounts | {
        "currency": money.base,
        "orders": booked.count("orders"),
        "guest_orders": booked.count("orders", booked.table("orders").c.customer_id.is_(None)),
        "order_lines": booked.count("order_lines"),
        "units_returned_of_known_purchases": booked.sum("return_lines", "quantity", condition=linked),
    }


class _Booked:
    """Sums and counts over the rows that this import wrote."""

    def __init__(self, session: Session, marks: Marks) -> None:
        self._session = session
        self._first = marks.first

    def table(self, name: str) -> Any:
        return tables.metadata.tables[name]

    def sum(
        self, name: str, column: str, *, kind: str | None = None, condition: ColumnElement[bool] | None = None
    ) -> int:
        table = self.table(name)
        statement = select(func.coalesce(func.sum(table.c[column]), 0)).where(table.c.id >= self._first[name])
        if kind is not None:
            statement = statement.where(table.c.kind == kind)
        if condition is not None:
            statement = statement.where(condition)
        return int(self._session.scalar(statement) or 0)

    def count(self, name: str, condition: ColumnElement[bool] | None = None) -> int:
        table = self.table(name)
        statement = select(func.count()).select_from(table).where(table.c.id >= self._first[name])
        return int(self._session.scalar(statement if condition is None else statement.where(condition)) or 0)


def _sum(rows: pl.DataFrame, member: RowClass, money: Conversion) -> int:
    own = rows.filter(pl.col("row_class") == member.value)
    return int(own.select(money.minor(pl.col("amount_minor")).sum()).item() or 0)


def _units(rows: pl.DataFrame, member: RowClass) -> int:
    return int(rows.filter(pl.col("row_class") == member.value)["units"].sum() or 0)
