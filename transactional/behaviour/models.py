"""What shoppers do before they buy: an append-only stream that is its own change feed."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.journal import TransactionId
from transactional.core.types import BigInt, IntPk, Json, UtcDateTime


class BehaviourEvent(Base):
    """One event; the client's own event id makes a re-send harmless."""

    __tablename__ = "behaviour_events"
    __table_args__ = (
        Index("ix_behaviour_events_txid", "txid"),
        Index("ix_behaviour_events_customer_id_id", "customer_id", "id"),
        Index("ix_behaviour_events_anonymous_id_id", "anonymous_id", "id"),
        {"info": {"journal": False, "own_feed": True}, "sqlite_autoincrement": True},
    )

    id: Mapped[IntPk]
    txid: Mapped[TransactionId]
    event_id: Mapped[str] = mapped_column(String(64), unique=True)
    anonymous_id: Mapped[str] = mapped_column(String(64))
    customer_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("customers.id"))
    session_id: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(32))
    product_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("products.id"))
    properties: Mapped[Json] = mapped_column(default=dict)
    is_bot: Mapped[bool] = mapped_column(default=False)
    consent_version: Mapped[str | None] = mapped_column(String(16))
    client_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    server_time: Mapped[datetime] = mapped_column(UtcDateTime)


class VisitorIdentity(Base):
    """An anonymous visitor became known; merged once, and two known customers are never merged."""

    __tablename__ = "visitor_identities"

    id: Mapped[IntPk]
    anonymous_id: Mapped[str] = mapped_column(String(64), unique=True)
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"), index=True)
    merged_at: Mapped[datetime] = mapped_column(UtcDateTime)
