"""What the gateway remembers beyond a restart: its books as one JSON file, replaced as a whole."""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from transactional.payments_standin.books import Books
from transactional.payments_standin.entities import OrderEntity, PaymentEntity, RefundEntity
from transactional.payments_standin.recurring import PlanEntity, SubscriptionEntity


@dataclass(slots=True)
class Memory:
    """Everything but the events that were not delivered: those the shop finds by asking."""

    starts: int = 0
    """How often the gateway was started with these books."""
    clock_shift: timedelta = timedelta(0)
    orders: list[OrderEntity] = field(default_factory=list)
    payments: list[PaymentEntity] = field(default_factory=list)
    refunds: list[RefundEntity] = field(default_factory=list)
    plans: list[PlanEntity] = field(default_factory=list)
    subscriptions: list[SubscriptionEntity] = field(default_factory=list)
    refund_keys: dict[str, tuple[str, str]] = field(default_factory=dict)


_JSON = TypeAdapter(Memory)


class Unreadable(ValueError):
    """The file is none of ours."""


def read(path: Path) -> Memory:
    """What was kept; nothing when there is no file yet. Raises Unreadable."""
    if not path.exists():
        return Memory()
    try:
        return _JSON.validate_json(path.read_bytes())
    except ValidationError as error:
        raise Unreadable(f"{path} does not hold the books of a stand-in") from error


def write(path: Path, books: bytes) -> None:
    """Keep it: whoever reads meanwhile sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(books)
    os.replace(fresh, path)


def dump(books: Books, *, starts: int, clock_shift: timedelta) -> bytes:
    """The books as they are, for a file."""
    memory = Memory(
        starts=starts,
        clock_shift=clock_shift,
        orders=list(books.orders.values()),
        payments=list(books.payments.values()),
        refunds=list(books.refunds.values()),
        plans=list(books.plans.values()),
        subscriptions=list(books.subscriptions.values()),
        refund_keys=books.refund_keys,
    )
    return _JSON.dump_json(memory)


def into_books(memory: Memory, books: Books) -> None:
    """Fill empty books."""
    for order in memory.orders:
        books.orders[order.id] = order
        if order.receipt is not None:
            books.orders_of_receipt[order.receipt].append(order)
    for payment in memory.payments:
        books.payments[payment.id] = payment
        books.payments_of_order[payment.order_id].append(payment)
    for refund in memory.refunds:
        books.refunds[refund.id] = refund
        books.refunds_of_payment[refund.payment_id].append(refund)
    books.plans |= {plan.id: plan for plan in memory.plans}
    books.subscriptions |= {subscription.id: subscription for subscription in memory.subscriptions}
    books.refund_keys |= memory.refund_keys
