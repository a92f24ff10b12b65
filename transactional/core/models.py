"""Tables that belong to no domain: outbox, idempotency keys, counters and the shop's own settings."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Json, UtcDateTime, enum_type


class OutboxState(StrEnum):
    """The life of a message to the outside or to another domain."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class OutboxMessage(Base):
    """Work that must happen after the commit, written in the business transaction; a worker does it."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_state_due_at", "state", "due_at"),
        {"info": {"journal": False}},
    )

    id: Mapped[IntPk]
    topic: Mapped[str] = mapped_column(String(64))
    payload: Mapped[Json]
    dedup_key: Mapped[str] = mapped_column(String(160), unique=True)
    state: Mapped[OutboxState] = mapped_column(enum_type(OutboxState), default=OutboxState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class IdempotencyKey(Base):
    """The first answer to a keyed request, given again to every repetition."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("subject", "key"), {"info": {"journal": False}})

    id: Mapped[IntPk]
    subject: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(128))
    route: Mapped[str] = mapped_column(String(200))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status_code: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Counter(Base):
    """The last number given in a series (order numbers, invoice numbers per financial year)."""

    __tablename__ = "counters"

    id: Mapped[IntPk]
    series: Mapped[str] = mapped_column(String(40), unique=True)
    value: Mapped[int] = mapped_column(BigInt)


class ShopProfile(Base):
    """The shop itself: one row. The base currency is fixed by the first trade."""

    __tablename__ = "shop_profile"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[IntPk]
    name: Mapped[str] = mapped_column(String(120))
    base_currency: Mapped[Currency]
    time_zone: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
