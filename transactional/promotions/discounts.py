"""What offers took off an order, line by line: written at placement, and worked out again from the stored versions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from transactional.promotions.engine import (
    Applied,
    Basket,
    DiscountClass,
    Outcome,
    Reason,
    Refused,
    parse_rule,
    trace_of,
)
from transactional.promotions.engine import recompute as recompute_trace
from transactional.promotions.models import Arm, OrderDiscount, PromotionExposure, PromotionVersion
from transactional.promotions.offers import Offers
from transactional.promotions.people import Person, is_held_out, person_hash


def write_discounts(
    session: Session, *, order_id: int, offers: Offers, outcome: Outcome, order_lines: Mapping[int, int]
) -> None:
    """Freeze what each offer took off each line; `order_lines` are the order's lines by the basket's line ids."""
    rows = [row for applied in outcome.applied for row in _rows(order_id, offers, applied, order_lines)]
    if rows:
        session.execute(insert(OrderDiscount), rows)


def discounts_of(session: Session, order_id: int) -> Sequence[OrderDiscount]:
    """What offers took off an order, in the order in which they were taken off."""
    return session.scalars(
        select(OrderDiscount).where(OrderDiscount.order_id == order_id).order_by(OrderDiscount.id)
    ).all()


def recompute(session: Session, trace: Mapping[str, Any]) -> tuple[Applied, ...]:
    """An order's discounts worked out again from its trace and the versions that it used.

    Raises KeyError for a trace of before the versions.
    """
    if not trace["applied"]:
        return ()
    used = {(one["offer_id"], one["version"]) for one in trace["applied"]}
    stored = session.scalars(
        select(PromotionVersion).where(PromotionVersion.promotion_id.in_([offer_id for offer_id, _ in used]))
    )
    rules = {(row.promotion_id, row.version): row.rule for row in stored}
    return recompute_trace(trace, {key: parse_rule(rules[key]) for key in used})


def repriced(offers: Offers, basket: Basket, outcome: Outcome) -> Outcome:
    """The same offers on a basket whose shipping costs something else; one that gives nothing there is refused."""
    rules = {(one.offer_id, one.version): offers.by_key[one.offer_id, one.code].rule for one in outcome.applied}
    applied = recompute_trace(trace_of(basket, outcome), rules)
    left = {(one.offer_id, one.code) for one in applied}
    idle = [
        Refused(one.offer_id, one.version, one.code, Reason.NOTHING_LEFT, "sending costs nothing already")
        for one in outcome.applied
        if (one.offer_id, one.code) not in left
    ]
    return replace(outcome, applied=applied, refused=(*outcome.refused, *idle))


def log_exposures(
    session: Session, *, order_id: int, offers: Offers, outcome: Outcome, person: Person, now: datetime
) -> None:
    """Note for each offer with a hold-out whether the buyer saw it: once an order, whatever else ruled it out.

    Offers that are not open to this buyer or basket for another reason say nothing about the hold-out and are left
    out, so that the two arms stay comparable.
    """
    key = person.main_key
    if key is None:
        return
    applied = {one.offer_id for one in outcome.applied}
    rows = [
        {
            "promotion_id": offer.promotion_id,
            "version": offer.version,
            "person_hash": person_hash(offer.promotion_id, key),
            "arm": Arm.HELD_OUT if is_held_out(offer.promotion_id, key, offer.holdout_bp) else Arm.TREATED,
            "is_applied": offer.promotion_id in applied,
            "order_id": order_id,
            "at": now,
        }
        for offer in {offer.promotion_id: offer for offer in offers.by_key.values()}.values()
        if offer.holdout_bp and _is_open_but_for_the_hold_out(offers, offer.promotion_id)
    ]
    if rows:
        session.execute(insert(PromotionExposure), rows)


def _is_open_but_for_the_hold_out(offers: Offers, promotion_id: int) -> bool:
    return any(
        candidate.offer_id == promotion_id and candidate.blocked in (None, Reason.HELD_OUT)
        for candidate in offers.candidates
    )


def _rows(order_id: int, offers: Offers, applied: Applied, order_lines: Mapping[int, int]) -> list[dict[str, Any]]:
    code = offers.by_key[applied.offer_id, applied.code].code
    common = {
        "order_id": order_id,
        "promotion_id": applied.offer_id,
        "version": applied.version,
        "code_id": code.id if code else None,
        "discount_class": applied.discount_class.value,
    }
    if applied.discount_class is DiscountClass.SHIPPING:
        return [{**common, "order_line_id": None, "amount_minor": applied.shipping_minor, "unit_amounts": None}]
    return [
        {
            **common,
            "order_line_id": order_lines[line_id],
            "amount_minor": sum(amounts),
            "unit_amounts": list(amounts),
        }
        for line_id, amounts in applied.units.items()
    ]
