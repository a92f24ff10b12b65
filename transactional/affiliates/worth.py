"""What a paid order is worth now: what of it is kept, what was refunded beyond units, and when its window ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from transactional.core.money import unit_share
from transactional.orders import service as orders
from transactional.orders.service import Order, OrderLine
from transactional.payments import service as payments
from transactional.returns import service as returns

_OPEN_RETURNS = (returns.ReturnStatus.REQUESTED, returns.ReturnStatus.APPROVED)


@dataclass(frozen=True, slots=True)
class OrderWorth:
    """An order as commission and referral rewards look at it."""

    lines: Sequence[OrderLine]
    value_minor: int
    """Its total less everything that was decided to be given back."""
    kindness_minor: int
    """Money refunded beyond those decisions: a part of the value that was paid for nothing."""
    window_ends: datetime | None
    """The last moment at which a return can be asked for; None before the delivery."""
    has_open_return: bool

    def is_settled(self, now: datetime) -> bool:
        """Whether nothing can come back any more by the customer's own will."""
        return self.window_ends is not None and now > self.window_ends and not self.has_open_return

    def share_of_kindness(self, amount_minor: int) -> int:
        """The part of an amount on kept units that goes with the money refunded beyond units, rounded down."""
        return amount_minor * self.kindness_minor // self.value_minor if self.kindness_minor else 0

    @property
    def kept_net_minor(self) -> int:
        """The frozen net price of the units that the customer keeps."""
        return sum(
            unit_share(
                line.net_minor, line.quantity, line.given_back_quantity, line.quantity - line.given_back_quantity
            )
            for line in self.lines
        )


def worth_of(session: Session, order: Order, *, return_window_days: int) -> OrderWorth:
    """Read what an order that the caller has locked is worth."""
    value = order.total_minor - orders.given_back_minor(session, order.id)
    opened = orders.return_window_opens(session, order)
    found = returns.returns_of_order(session, order.id)
    return OrderWorth(
        lines=orders.lines_of(session, order.id),
        value_minor=value,
        kindness_minor=_kindness(session, order.id, value),
        window_ends=None if opened is None else opened + timedelta(days=return_window_days),
        has_open_return=any(found_return.status in _OPEN_RETURNS for found_return in found),
    )


def _kindness(session: Session, order_id: int, value_minor: int) -> int:
    """What was fully paid and is now less than the order's worth went back for nothing.

    An order that was never paid in full through a gateway tells nothing about kindness.
    """
    paid = payments.payments_of_order(session, order_id=order_id)
    captured = sum(payment.captured_minor for payment in paid)
    if captured == 0 or captured < value_minor:
        return 0
    refunded = sum(payment.refunded_minor + payment.refund_pending_minor for payment in paid)
    return min(max(0, value_minor - (captured - refunded)), value_minor)
