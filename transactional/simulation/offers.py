"""What the shop offers in its time: codes for newcomers, feasts, months and friends, and offers that need no code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from transactional.promotions import service as promotions
from transactional.promotions.service import NewCode, Promotion, PromotionStatus, Terms
from transactional.simulation.feasts import Feast
from transactional.simulation.stage import STAFF
from transactional.simulation.temptation import Temptation

WELCOME_COUPON = "WELCOME10"
FRIENDS = "Friends of the house"
FRIENDS_COUPON = "FRIENDS12"
HOLD_OUT_BP = 2_000
_SHIPS = ["shipping"]
_CODE_FEASTS = ("diwali", "rakhi")
_POST_FREE_FEASTS = ("rakhi", "christmas", "mothers-day")
_SHELVES_A_MONTH = 4

Period = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Codes of feasts and months with the time in which they count, and the offer that is an experiment."""

    coupons: dict[str, Period]
    temptation: Temptation


def announce(
    session: Session, *, categories: Mapping[str, int], feasts: list[Feast], now: datetime, end: datetime
) -> Calendar:
    """Write every offer of the whole history; the clock opens and closes them."""
    promotions.create_group(session, name=FRIENDS, description="who has bought again and again", now=now)
    coupons: dict[str, Period] = {}
    _welcome(session, now)
    _for_friends(session, now)
    for feast in feasts:
        coupons |= _for_feast(session, feast, now)
    for number, month in enumerate(_months(now, end)):
        coupons |= _of_month(session, number, month, sorted(categories.values()))
    return Calendar(coupons, _experiment(session, now, end))


def write(session: Session, rule: Mapping[str, Any], terms: Terms, *, codes: tuple[NewCode, ...] = ()) -> Promotion:
    """A promotion with its codes, that begins when its terms say."""
    draft = promotions.create_draft(session, terms=terms, rule=rule, actor=STAFF, now=terms.starts_at)
    for code in codes:
        promotions.add_code(session, promotion=draft, new=code)
    return promotions.move(session, promotion_id=draft.id, status=PromotionStatus.SCHEDULED)


def _welcome(session: Session, now: datetime) -> None:
    """Ten per cent for newcomers, all the time."""
    rule = {
        "kind": "percentage",
        "args": {"bp": 1_000, "cap_minor": 30_000},
        "conditions": [_spend(49_900), {"kind": "first_order"}],
        "discount_class": "order",
        "combines_with": _SHIPS,
    }
    code = NewCode(WELCOME_COUPON, per_customer_limit=1)
    write(session, rule, Terms("Welcome: 10 %", starts_at=now), codes=(code,))


def _for_friends(session: Session, now: datetime) -> None:
    rule = {
        "kind": "percentage",
        "args": {"bp": 1_200, "cap_minor": 40_000},
        "conditions": [{"kind": "customer_groups", "args": {"groups": [FRIENDS]}}],
        "discount_class": "order",
        "combines_with": _SHIPS,
    }
    write(session, rule, Terms("Friends: 12 %", starts_at=now), codes=(NewCode(FRIENDS_COUPON),))


def _for_feast(session: Session, feast: Feast, now: datetime) -> dict[str, Period]:
    """A code, free shipping, or the second one at half price in the weeks before; gives the codes."""
    closes = datetime(feast.day.year, feast.day.month, feast.day.day, tzinfo=now.tzinfo) + timedelta(days=1)
    opens = max(now, closes - timedelta(days=22))
    if closes <= now:
        return {}
    name = f"{feast.occasion.replace('-', ' ').capitalize()} {feast.day.year}"
    rule: dict[str, Any]
    if feast.occasion in _POST_FREE_FEASTS:
        rule = {
            "kind": "free_shipping",
            "conditions": [_spend(49_900)],
            "discount_class": "shipping",
            "combines_with": ["product", "order"],
        }
        write(session, rule, Terms(f"{name}: we pay the post", starts_at=opens, ends_at=closes, is_automatic=True))
    if feast.occasion not in _CODE_FEASTS:
        return {}
    rule = {
        "kind": "buy_x_get_y",
        "args": {"buy": 1, "get": 1, "bp": 5_000, "max_sets": 1},
        "discount_class": "product",
        "combines_with": _SHIPS,
    }
    terms = Terms(f"{name}: the second at half price", starts_at=opens, ends_at=closes, is_automatic=True)
    write(session, rule, terms)
    code = f"{feast.occasion.upper()}{feast.day.year}"
    promotions.create_percentage_coupon(
        session,
        code=code,
        percent_bp=1_500,
        starts_at=opens,
        ends_at=closes,
        min_spend_minor=99_900,
        max_discount_minor=50_000,
        usage_limit=500,
        per_customer_limit=2,
    )
    return {code: (opens, closes)}


def _of_month(session: Session, number: int, month: Period, ids: list[int]) -> dict[str, Period]:
    """In turns: a hundred rupees off, the cheapest of several at half price, a fifth off some shelves; twice each."""
    opens, closes = month
    action: dict[str, Any]
    conditions: list[dict[str, Any]]
    code = f"{opens:%b%y}".upper()
    terms = Terms(f"Code of the month {opens:%B %Y}", starts_at=opens, ends_at=closes)
    match number % 3:
        case 0:
            action = {"kind": "fixed", "args": {"amount_minor": 10_000}, "discount_class": "order"}
            conditions = [_spend(79_900)]
        case 1:
            action = {"kind": "cheapest_item", "args": {"bp": 5_000}, "discount_class": "product"}
            conditions = [{"kind": "min_quantity", "args": {"quantity": 2}}]
        case _:
            goods = {"category_ids": [ids[(number + turn) % len(ids)] for turn in range(_SHELVES_A_MONTH)]}
            action = {"kind": "percentage", "args": {"bp": 2_000, "select": goods}, "discount_class": "product"}
            conditions = []
    rule = {**action, "conditions": conditions, "combines_with": _SHIPS}
    write(session, rule, terms, codes=(NewCode(code, usage_limit=300, per_customer_limit=2),))
    return {code: month}


def _experiment(session: Session, now: datetime, end: datetime) -> Temptation:
    """Eight per cent for everybody but a fifth, for half of the history; what it brings can be measured."""
    begins, ends = now + (end - now) * 0.4, now + (end - now) * 0.9
    rule = {
        "kind": "percentage",
        "args": {"bp": 800, "cap_minor": 20_000},
        "discount_class": "order",
        "combines_with": _SHIPS,
    }
    terms = Terms("A small thank-you", starts_at=begins, ends_at=ends, is_automatic=True, holdout_bp=HOLD_OUT_BP)
    return Temptation(write(session, rule, terms), begins, ends)


def _months(now: datetime, end: datetime) -> Iterator[Period]:
    opens = now
    while opens < end:
        first = opens.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        closes = (first + timedelta(days=32)).replace(day=1)
        yield opens, closes
        opens = closes


def _spend(amount_minor: int) -> dict[str, Any]:
    return {"kind": "min_spend", "args": {"amount_minor": amount_minor}}
