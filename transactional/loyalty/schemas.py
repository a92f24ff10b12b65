"""Points over the wire, as their owner sees them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from transactional.loyalty.balances import Balance, WalletBalance
from transactional.loyalty.book import Movement
from transactional.loyalty.models import EntryKind, LotState, PointEntry, PointLot, Wallet
from transactional.loyalty.statements import LotLine, Statement
from transactional.loyalty.tiers import TierView


class BalanceOut(BaseModel):
    """A customer's points at one moment."""

    redeemable: int = Field(description="What an order could take: active − owed", examples=[120])
    active: int = Field(examples=[120])
    pending: int = Field(description="Earned; available when the return window ends", examples=[30])
    held: int = Field(description="Set aside for orders that are not paid yet", examples=[0])
    owed: int = Field(description="Taken back after they had been spent; the next points pay for them", examples=[0])
    spent: int = Field(examples=[200])
    expired: int = Field(examples=[15])
    reversed: int = Field(description="Taken back with what had earned them", examples=[10])
    shortfall: int = Field(description="Could not be taken back; no later points pay for them", examples=[0])

    @classmethod
    def of(cls, balance: Balance) -> "BalanceOut":
        """From the service's answer."""
        return BalanceOut(**{name: getattr(balance, name) for name in BalanceOut.model_fields})


class PointsWalletOut(BaseModel):
    """Points of one wallet."""

    wallet: Wallet = Field(examples=["earned"])
    active: int = Field(examples=[100])
    pending: int = Field(examples=[30])
    owed: int = Field(examples=[0])

    @classmethod
    def of(cls, wallet: WalletBalance) -> "PointsWalletOut":
        """From the service's answer."""
        return cls(wallet=wallet.wallet, active=wallet.active, pending=wallet.pending, owed=wallet.owed)


class PointsTierOut(BaseModel):
    """A customer's tier now, and what keeps or raises it."""

    name: str = Field(examples=["Silver"])
    since: datetime | None = Field(examples=["2026-01-15T10:00:00Z"])
    expires_at: datetime | None = Field(description="Null for the tier that never ends", examples=[None])
    grace_until: datetime | None = Field(description="A tier that was not kept holds so long", examples=[None])
    projected: str = Field(description="The tier after the period if nothing more is earned", examples=["Bronze"])
    qualifying: int = Field(description="Points of the last months that count for tiers", examples=[70])
    points_to_stay: int = Field(description="Missing to keep the tier", examples=[0])
    points_to_next: int | None = Field(description="Null in the highest tier", examples=[80])
    next_name: str | None = Field(examples=["Gold"])

    @classmethod
    def of(cls, view: TierView) -> "PointsTierOut":
        """From the service's answer."""
        return cls(**{name: getattr(view, name) for name in cls.model_fields})


class ExpiringLotOut(BaseModel):
    """Points that expire soon."""

    lot_id: int = Field(examples=[41])
    wallet: Wallet = Field(examples=["earned"])
    points: int = Field(examples=[12])
    source: str = Field(examples=["order"])
    expires_at: datetime = Field(examples=["2027-01-15T10:00:00Z"])

    @classmethod
    def of(cls, lot: PointLot) -> "ExpiringLotOut":
        """From the row."""
        return cls(lot_id=lot.id, wallet=lot.wallet, points=lot.remaining, source=lot.source, expires_at=lot.expires_at)


class PointsOut(BalanceOut):
    """A customer's points now, by wallet, with the tier and what expires soon."""

    wallets: list[PointsWalletOut]
    tier: PointsTierOut
    expires_soon: int = Field(description="Points that expire within 30 days unless they are spent", examples=[12])


class PointEntryOut(BaseModel):
    """One entry of the ledger of points."""

    id: int = Field(examples=[311])
    kind: EntryKind = Field(examples=["earn"])
    points: int = Field(description="Signed: what the balance changed by", examples=[12])
    reason: str = Field(examples=[""])
    order_id: int | None = Field(examples=[88])
    occurred_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])

    @classmethod
    def of(cls, entry: PointEntry) -> "PointEntryOut":
        """From the row."""
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


class StatementLotOut(BaseModel):
    """A lot at the moment of the statement: amount = left + held + spent + by_hand + reversed + expired."""

    id: int = Field(examples=[41])
    source: str = Field(examples=["order"])
    wallet: Wallet = Field(examples=["earned"])
    rule_version: int = Field(description="The version of the programme that gave it", examples=[1])
    state: LotState = Field(examples=["active"])
    amount: int = Field(examples=[20])
    left: int = Field(examples=[8])
    held: int = Field(examples=[0])
    spent: int = Field(examples=[12])
    given_back: int = Field(description="Of the spent: given back on returns, as lots of their own", examples=[0])
    by_hand: int = Field(description="Taken by staff", examples=[0])
    reversed: int = Field(examples=[0])
    expired: int = Field(examples=[0])
    reinstated: int = Field(description="Of the expired: had back, as a lot of its own", examples=[0])
    earned_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    available_at: datetime | None = Field(examples=["2026-01-29T10:00:00Z"])
    expires_at: datetime = Field(examples=["2027-01-15T10:00:00Z"])

    @classmethod
    def of(cls, line: LotLine) -> "StatementLotOut":
        """From the statement."""
        of_lot = set(cls.model_fields) - {"rule_version", "state"}
        values = {name: getattr(line.lot, name) for name in of_lot}
        return cls(**values, rule_version=line.rule_version, state=line.state)


class StatementMovementOut(BaseModel):
    """Something that happened to the points, on the day on which it counted."""

    at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    kind: EntryKind = Field(examples=["earn"])
    points: int = Field(description="Signed: what active + pending − owed changed by", examples=[20])
    lot_id: int | None = Field(examples=[41])
    order_id: int | None = Field(examples=[88])
    reason: str = Field(examples=[""])
    entry_id: int | None = Field(description="Null for what the calendar did", examples=[311])

    @classmethod
    def of(cls, move: Movement) -> "StatementMovementOut":
        """From the statement."""
        return cls(**{name: getattr(move, name) for name in cls.model_fields})


class PointsStatementOut(BaseModel):
    """What a customer had at a moment, where it came from and what had become of it by then."""

    model_config = ConfigDict(json_schema_extra={"description": "opening + movements = closing"})

    since: datetime | None = Field(description="Null: from the first point on", examples=[None])
    as_of: datetime = Field(examples=["2026-06-30T18:30:00Z"])
    opening: BalanceOut
    movements: list[StatementMovementOut]
    closing: BalanceOut
    lots: list[StatementLotOut]

    @classmethod
    def of(cls, made: Statement) -> "PointsStatementOut":
        """From the service's answer."""
        return cls(
            since=made.since,
            as_of=made.as_of,
            opening=BalanceOut.of(made.opening),
            movements=[StatementMovementOut.of(move) for move in made.movements],
            closing=BalanceOut.of(made.closing),
            lots=[StatementLotOut.of(line) for line in made.lots],
        )
