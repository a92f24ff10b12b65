"""From the file's currency into the shop's: the base currency of an empty shop, or a rate."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import polars as pl
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from transactional import tables
from transactional.core.money import exponent
from transactional.importing.errors import ImportRefused

FILE_CURRENCY = "GBP"
_SCALE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Conversion:
    """How minor units of the file become minor units of the shop; `rate` is base units for one of the file's."""

    base: str
    rate: Decimal | None = None

    @property
    def converts(self) -> bool:
        """Whether amounts change on the way."""
        return self.rate is not None and self.base != FILE_CURRENCY

    def minor(self, amount: pl.Expr) -> pl.Expr:
        """Minor units of the base currency, rounded half away from zero."""
        return _scaled(amount, self._factor()) if self.converts else amount

    def micros(self, price: pl.Expr) -> pl.Expr:
        """Millionths of the base currency's major unit."""
        return _scaled(price, self.rate or Decimal(1)) if self.converts else price

    def _factor(self) -> Decimal:
        return (self.rate or Decimal(1)).scaleb(exponent(self.base) - exponent(FILE_CURRENCY))


def _scaled(amount: pl.Expr, factor: Decimal) -> pl.Expr:
    """amount × factor in integers of 128 bits: neither a float nor an overflow comes near the money."""
    numerator = int((factor * _SCALE).to_integral_value())
    product = amount.abs().cast(pl.Int128) * numerator
    return (amount.sign() * ((product + _SCALE // 2) // _SCALE)).cast(pl.Int64)


def settle_currency(
    session: Session, *, rate: Decimal | None, time_zone: str, shop_name: str, first: datetime
) -> Conversion:
    """The shop's base currency; an empty shop takes the file's, and its time zone.

    Raises ImportRefused when the shop trades in another currency and no rate is given.
    """
    profile = tables.metadata.tables["shop_profile"]
    base = session.scalar(select(profile.c.base_currency))
    if base == FILE_CURRENCY:
        return Conversion(FILE_CURRENCY)
    if base is None:
        row = {"id": 1, "name": shop_name, "base_currency": FILE_CURRENCY, "time_zone": time_zone, "created_at": first}
        session.execute(insert(profile).values(row))
        return Conversion(FILE_CURRENCY)
    if not _has_traded(session):
        session.execute(update(profile).values(base_currency=FILE_CURRENCY, time_zone=time_zone))
        return Conversion(FILE_CURRENCY)
    if rate is None:
        raise ImportRefused(
            f"the shop trades in {base}, the file in {FILE_CURRENCY}: give the rate with --rate"
            f" ({base} for one {FILE_CURRENCY})"
        )
    return Conversion(base, rate)


def _has_traded(session: Session) -> bool:
    """An order or a price in the shop's currency: from then on it cannot change."""
    return any(
        session.scalar(select(func.count()).select_from(select(tables.metadata.tables[name].c.id).limit(1).subquery()))
        for name in ("orders", "prices")
    )
