"""Giving units back: one place decides what money goes with units that are cancelled, come back or are returned.

The price of a unit is the one that was frozen at placement, whatever happened to other units. What the policies add or
withhold is decided at that moment and stored as a row of its own with the reasons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.core.errors import NotFound
from transactional.core.money import unit_share
from transactional.core.outbox import publish
from transactional.loyalty import service as loyalty
from transactional.orders import policy, units
from transactional.orders.models import Order, OrderLine, OrderRefundDecision, OrderUnitMove, UnitMove
from transactional.promotions import service as promotions

REFUND_DUE = "orders.refund_due"
"""Outbox topic {order_id, amount_minor, currency, reason, key}: paid money of an order goes back; once per `key`."""


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What was counted and what was decided about it."""

    moves: Sequence[OrderUnitMove]
    decision: OrderRefundDecision
    nothing_kept: bool
    """These were the last units of the order."""
    to_pay_minor: int
    """The decision's refund, or as much of it as the order's payments still have."""


def give_back(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    kind: UnitMove,
    quantities: Mapping[int, int],
    *,
    actor: str,
    now: datetime,
    reason: str,
    cause: str | None = None,
    ours: bool = False,
    shipment_id: int | None = None,
    agreed_minor: int | None = None,
    payable_minor: int | None = None,
) -> GivenBack:
    """Count units (order line → quantity) of a locked order as given back and decide the refund.

    `lines` are all of the order's, read under its lock; their counts are brought up to date.
    `cause` names what is decided, once; by default the units themselves. `ours`: the reason lies with the shop.
    `agreed_minor` is the refund that the customer was shown before (`quote_refund`). `payable_minor` is what the
    order's payments still have, where the caller knows: what they lack is stored with the decision. The caller then
    moves the stock, and after it coupon and points by `settle_given`, so that locks are taken in the shop's order;
    nothing is paid out here: see `publish_refund`.

    Raises InvalidInput and Conflict as `units.count` does.
    """
    moves = units.count(
        session, order, lines, kind, quantities, actor=actor, now=now, reason=reason, shipment_id=shipment_id
    )
    nothing_kept = all(line.given_back_quantity == line.quantity for line in lines)
    decision = _decide(session, order, lines, moves, nothing_kept=nothing_kept, ours=ours, agreed_minor=agreed_minor)
    decision.cause = cause or f"{kind}:{moves[0].order_line_id}:{moves[0].first_unit}"
    decision.actor, decision.decided_at = actor, now
    to_pay = _to_pay(decision, payable_minor)
    session.add(decision)
    session.flush()
    return GivenBack(moves, decision, nothing_kept, to_pay)


def _to_pay(decision: OrderRefundDecision, payable_minor: int | None) -> int:
    """How much of the refund can still be paid out. What cannot is kept in the decision, with the reason."""
    if payable_minor is None or payable_minor >= decision.refund_minor:
        return decision.refund_minor
    decision.policy = decision.policy | {
        "paid_out": {
            "amount_minor": payable_minor,
            "short_minor": decision.refund_minor - payable_minor,
            "rule": "the rest of the order's payments was given back before",
        }
    }
    return payable_minor


def settle_given(
    session: Session, order: Order, given: GivenBack, *, actor: str, now: datetime, points: bool = True
) -> None:
    """Free the coupon with the last unit where its policy says so, and settle the points of the units given back."""
    if given.nothing_kept:
        promotions.release(session, order_id=order.id, now=now, fully_refunded=True)
    if points:
        _settle_points(session, given.moves, actor, now)


def quote_refund(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    quantities: Mapping[int, int],
    *,
    added_gross_minor: int,
) -> int:
    """What calling these units off would give back, if goods worth `added_gross_minor` came at the same time.

    For change sets, which leave something of the order: shipping is not part of it.
    """
    prices = [
        units.price_of_units(order, line, line.given_back_quantity, quantities[line.id])
        for line in lines
        if line.id in quantities
    ]
    ruling, _ = _coupon_ruling(
        session, order, lines, sum(prices), ours=False, also=quantities, added_gross_minor=added_gross_minor
    )
    return sum(prices) - ruling.amount_minor


def given_back_minor(session: Session, order_id: int) -> int:
    """The sum of all refunds decided for an order: paid back, or no longer due where nothing was paid."""
    total = select(func.coalesce(func.sum(OrderRefundDecision.refund_minor), 0))
    return int(session.scalar(total.where(OrderRefundDecision.order_id == order_id)) or 0)


def decisions_of(session: Session, order_id: int) -> Sequence[OrderRefundDecision]:
    """Every decision about the order's money, oldest first."""
    return session.scalars(
        select(OrderRefundDecision).where(OrderRefundDecision.order_id == order_id).order_by(OrderRefundDecision.id)
    ).all()


def publish_refund(session: Session, order: Order, amount_minor: int, *, reason: str, key: str, now: datetime) -> None:
    """Have paid money sent back, once per key; nothing where nothing was paid or nothing is due."""
    if amount_minor <= 0 or order.paid_at is None:
        return
    payload = {
        "order_id": order.id,
        "amount_minor": amount_minor,
        "currency": order.currency,
        "reason": reason,
        "key": key,
    }
    publish(session, REFUND_DUE, payload, dedup_key=f"{REFUND_DUE}:{key}", now=now)


def _settle_points(session: Session, moves: Sequence[OrderUnitMove], actor: str, now: datetime) -> None:
    for move in moves:
        assert move.first_unit is not None, "units that are given back are numbered"
        loyalty.reverse_for_return(
            session,
            order_line_id=move.order_line_id,
            first=move.first_unit,
            count=move.quantity,
            now=now,
            actor=actor,
        )


def _decide(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    moves: Sequence[OrderUnitMove],
    *,
    nothing_kept: bool,
    ours: bool,
    agreed_minor: int | None,
) -> OrderRefundDecision:
    units_minor = sum(move.refund_minor for move in moves)
    kind = moves[0].kind
    shipping = policy.shipping_refund(
        kind,
        charged_minor=order.shipping_minor + order.wrap_minor,
        nothing_kept=nothing_kept,
        anything_sent=any(line.shipped_quantity for line in lines),
        nothing_paid=order.paid_at is None and not any(line.delivered_quantity for line in lines),
        ours=ours,
    )
    withheld, facts = _coupon_ruling(session, order, lines, units_minor, ours=ours)
    if agreed_minor is not None:
        withheld = policy.Ruling(units_minor + shipping.amount_minor - agreed_minor, "as agreed with the change")
    return OrderRefundDecision(
        order_id=order.id,
        kind=kind,
        units_minor=units_minor,
        shipping_minor=shipping.amount_minor,
        coupon_withheld_minor=withheld.amount_minor,
        refund_minor=units_minor + shipping.amount_minor - withheld.amount_minor,
        currency=order.currency,
        policy={
            "version": 1,
            "reason_lies_with_shop": ours,
            "units": [
                {
                    "order_line_id": move.order_line_id,
                    "first": move.first_unit,
                    "quantity": move.quantity,
                    "refund_minor": move.refund_minor,
                }
                for move in moves
            ],
            "shipping": {"amount_minor": shipping.amount_minor, "rule": shipping.rule},
            "coupon": {"withheld_minor": withheld.amount_minor, "rule": withheld.rule, **facts},
        },
    )


def _coupon_ruling(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    units_minor: int,
    *,
    ours: bool,
    also: Mapping[int, int] = MappingProxyType({}),
    added_gross_minor: int = 0,
) -> tuple[policy.Ruling, dict[str, object]]:
    """The ruling on the offers' minimums, and the figures that it rests on; `also` are units about to be given back."""
    if order.discount_minor == 0:
        return policy.Ruling(0, "the order had no coupon"), {}
    kept_gross = added_gross_minor + sum(_kept(line, line.gross_minor, also) for line in lines)
    earned_from = _minimums(session, order, lines, also)
    if not earned_from:
        return policy.Ruling(0, "the order had no coupon"), {}
    missed = [minimum for minimum in earned_from if minimum.spend_minor > kept_gross] or earned_from
    figures = {
        "min_spend_minor": max(minimum.spend_minor for minimum in missed),
        "kept_gross_minor": kept_gross,
        "kept_discount_minor": sum(minimum.kept_discount_minor for minimum in missed),
        "withheld_before_minor": sum(d.coupon_withheld_minor for d in decisions_of(session, order.id)),
    }
    ruling = policy.coupon_withheld(**figures, units_minor=units_minor, ours=ours)
    return ruling, {"code": order.coupon_code, **figures}


@dataclass(frozen=True, slots=True)
class _Minimum:
    """What a basket must be worth for an offer, and what the offer still gives on the units that are kept."""

    spend_minor: int
    kept_discount_minor: int


def _minimums(session: Session, order: Order, lines: Sequence[OrderLine], also: Mapping[int, int]) -> list[_Minimum]:
    """One for each offer on goods that the order used, from its own trace; of older orders for their one coupon."""
    by_id = {line.id: line for line in lines}
    kept: dict[int, int] = {}
    for discount in promotions.discounts_of(session, order.id):
        if discount.order_line_id is not None:
            share = _kept(by_id[discount.order_line_id], discount.amount_minor, also)
            kept[discount.promotion_id] = kept.get(discount.promotion_id, 0) + share
    if kept:
        rules = order.price_trace.get("rules", [])
        spend = {rule["promotion_id"]: rule["min_spend_minor"] for rule in rules if "min_spend_minor" in rule}
        return [_Minimum(spend.get(promotion_id, 0), amount) for promotion_id, amount in sorted(kept.items())]
    if order.coupon_code is None:
        return []
    whole = sum(_kept(line, line.order_discount_minor, also) for line in lines)
    return [_Minimum(_min_spend(session, order.coupon_code), whole)]


def _kept(line: OrderLine, total_minor: int, also: Mapping[int, int]) -> int:
    """What the units that are not given back bear of a sum of their line."""
    first = line.given_back_quantity + also.get(line.id, 0)
    return unit_share(total_minor, line.quantity, first, line.quantity - first)


def _min_spend(session: Session, code: str) -> int:
    try:
        return promotions.get_coupon(session, code)[0].min_spend_minor
    except NotFound:
        return 0  # a code of an imported history: nobody knows its minimum
