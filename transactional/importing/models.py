"""What an import leaves beside the shop's own rows: its runs and the rows that are not trade."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, Json, UtcDateTime


class ImportRun(Base):
    """One import of one file, with its report."""

    __tablename__ = "import_runs"

    id: Mapped[IntPk]
    source: Mapped[str] = mapped_column(String(32))
    file_name: Mapped[str] = mapped_column(String(255))
    file_sha256: Mapped[str] = mapped_column(String(64))
    report: Mapped[Json]
    finished_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ImportedInvoice(Base):
    """An invoice that was taken in, whatever it became: the second file that names it changes nothing."""

    __tablename__ = "imported_invoices"
    __table_args__ = (Index("uq_imported_invoices", "source", "invoice", unique=True),)

    id: Mapped[IntPk]
    run_id: Mapped[int] = mapped_column(BigInt, ForeignKey("import_runs.id"))
    source: Mapped[str] = mapped_column(String(32))
    invoice: Mapped[str] = mapped_column(String(64))


class ImportQuarantine(Base):
    """A row of a file that did not become trade, as it stood, with the reason."""

    __tablename__ = "import_quarantine"
    __table_args__ = (Index("ix_import_quarantine_run_id", "run_id"),)

    id: Mapped[IntPk]
    run_id: Mapped[int] = mapped_column(BigInt, ForeignKey("import_runs.id"))
    row_number: Mapped[int] = mapped_column(BigInt)
    row_class: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(200))
    amount_minor: Mapped[int | None] = mapped_column(BigInt)
    raw: Mapped[Json]
