"""An order's commission is brought in line with the order: computed anew from what the order is now.

So it does not matter which news of an order came first, came twice or never came: whoever asks gets the same ledger.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.affiliates import ledger
from transactional.affiliates.attribution import attribute, attribution_of
from transactional.affiliates.members import was_active
from transactional.affiliates.models import (
    AttributionOutcome,
    CommissionLot,
    CommissionState,
    OrderAttribution,
    ProgrammeVersion,
)
from transactional.affiliates.programmes import rate_card
from transactional.affiliates.rates import category_path, units_commission
from transactional.affiliates.receipting import seal_lot
from transactional.affiliates.worth import OrderWorth
from transactional.catalog import service as catalog
from transactional.orders.service import Order, OrderLine

ACTOR = "affiliates"


def settle_commission(session: Session, order: Order, worth: OrderWorth, *, now: datetime) -> None:
    """Attribute a paid order that the caller has locked; write, take back and approve its commission.

    Safe to repeat at any moment. Nothing is approved before the return window has ended, nor while a return is open.
    """
    known = attribution_of(session, order.id)
    attribution = known or attribute(session, order, now=now)
    if attribution is None or attribution.outcome is AttributionOutcome.REFUSED:
        return
    balance = ledger.lock_balance(session, attribution.affiliate_id, order.currency)
    lots = list(_lots_of(session, order.id))
    earned = {lot.order_line_id for lot in lots}
    missing = [line for line in worth.lines if line.id not in earned and line.net_minor > 0]
    # What joins an order later earns only while the affiliate is active.
    if missing and (known is None or was_active(session, attribution.affiliate_id, at=now)):
        fresh = _new_lots(session, order, attribution, missing, now=now)
        ledger.earn(session, balance, fresh, actor=ACTOR)
        lots += fresh
    lines = {line.id: line for line in worth.lines}
    for lot in lots:
        due = _reversal_due(lot, lines[lot.order_line_id], worth)
        if due > 0:
            reason = _reason(lines[lot.order_line_id], worth)
            ledger.reverse(session, balance, lot, due, reason=reason, now=now, actor=ACTOR)
    waiting = [lot for lot in lots if lot.state is CommissionState.PENDING]
    for lot in waiting:
        lot.approvable_at = worth.window_ends
    if waiting and worth.is_settled(now):
        ledger.approve(session, balance, waiting, now=now, actor=ACTOR)
    session.flush()


def due_orders(session: Session, *, now: datetime, after_order_id: int, limit: int) -> Sequence[int]:
    """Orders with commission whose window has ended, by id."""
    return session.scalars(
        select(CommissionLot.order_id)
        .where(
            CommissionLot.state == CommissionState.PENDING,
            CommissionLot.approvable_at < now,
            CommissionLot.order_id > after_order_id,
        )
        .distinct()
        .order_by(CommissionLot.order_id)
        .limit(limit)
    ).all()


def _lots_of(session: Session, order_id: int) -> Sequence[CommissionLot]:
    return session.scalars(
        select(CommissionLot)
        .where(CommissionLot.order_id == order_id)
        .order_by(CommissionLot.id)
        .execution_options(populate_existing=True)
    ).all()


def _new_lots(
    session: Session, order: Order, attribution: OrderAttribution, missing: Sequence[OrderLine], *, now: datetime
) -> list[CommissionLot]:
    card = rate_card(session, session.get_one(ProgrammeVersion, attribution.version_id))
    parents = {category.id: category.parent_id for category in catalog.list_categories(session)}
    products = catalog.products_by_id(session, [line.product_id for line in missing])
    fresh = []
    for line in missing:
        path = category_path(parents, products[line.product_id].category_id)
        rate_bp = card.rate_for(affiliate_id=attribution.affiliate_id, category_path=path)
        lot = _lot(order, line, attribution, rate_bp, now)
        if lot is not None:
            fresh.append(lot)
    return fresh


def _lot(
    order: Order, line: OrderLine, attribution: OrderAttribution, rate_bp: int, now: datetime
) -> CommissionLot | None:
    amount = units_commission(
        net_minor=line.net_minor, quantity=line.quantity, rate_bp=rate_bp, first=0, count=line.quantity
    )
    if amount == 0:
        return None
    lot = CommissionLot(
        affiliate_id=attribution.affiliate_id,
        attribution_id=attribution.id,
        order_id=order.id,
        order_line_id=line.id,
        version_id=attribution.version_id,
        rate_bp=rate_bp,
        currency=order.currency,
        quantity=line.quantity,
        net_minor=line.net_minor,
        state=CommissionState.PENDING,
        amount_minor=amount,
        remaining_minor=amount,
        paid_minor=0,
        offset_minor=0,
        reversed_minor=0,
        clawed_minor=0,
        earned_at=now,
    )
    seal_lot(lot, attribution)
    return lot


def _reversal_due(lot: CommissionLot, line: OrderLine, worth: OrderWorth) -> int:
    """What is still to be taken back: the units given back, and the share of money refunded without units.

    What was taken back before is never given again.
    """
    given = units_commission(
        net_minor=lot.net_minor,
        quantity=lot.quantity,
        rate_bp=lot.rate_bp,
        first=0,
        count=line.given_back_quantity,
    )
    return given + worth.share_of_kindness(lot.amount_minor - given) - lot.reversed_minor


def _reason(line: OrderLine, worth: OrderWorth) -> str:
    units = f"{line.given_back_quantity} of {line.quantity} units given back"
    return f"{units}; money refunded beyond units" if worth.kindness_minor else units
