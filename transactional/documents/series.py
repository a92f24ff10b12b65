"""Consecutive numbers per kind and financial year (GST Rules 46 and 53): without gaps, in the order of issue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.core.counters import next_number
from transactional.core.errors import Conflict
from transactional.documents.models import DocumentKind, TaxDocument

SERIES: Mapping[DocumentKind, str] = {DocumentKind.INVOICE: "INV", DocumentKind.CREDIT_NOTE: "CRN"}

_LAST_SERIAL = 9_999_999
"""More digits would make the number longer than the 16 characters that the law allows."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A place in a series."""

    series: str
    fiscal_year: int
    serial: int
    issued_at: datetime

    @property
    def number(self) -> str:
        """`INV-2627-0000001`: series, financial year, serial; 16 characters."""
        first, second = self.fiscal_year % 100, (self.fiscal_year + 1) % 100
        return f"{self.series}-{first:02d}{second:02d}-{self.serial:07d}"


def next_in_series(session: Session, *, kind: DocumentKind, fiscal_year: int, now: datetime) -> Numbered:
    """The next number; its series is locked until the commit, and a rollback gives the number back.

    Issued now, or with the document before it where a faster clock wrote that one. Raises Conflict when the year's
    series is full.
    """
    series = SERIES[kind]
    serial = next_number(session, f"documents:{series}:{fiscal_year}")
    if serial > _LAST_SERIAL:
        raise Conflict(f"the series {series} of the financial year {fiscal_year} is full")
    # Read after the lock was had: whoever wrote before has committed.
    latest = session.scalar(
        select(func.max(TaxDocument.issued_at)).where(
            TaxDocument.series == series, TaxDocument.financial_year == fiscal_year, TaxDocument.serial == serial - 1
        )
    )
    return Numbered(series, fiscal_year, serial, now if latest is None else max(now, latest))
