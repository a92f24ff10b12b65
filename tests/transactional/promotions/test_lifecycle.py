"""The life of an offer: what it gives in each state, and versions that orders keep."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.offers import code, draft, move, offer, rule
from tests.support.trade import TradeKit
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.promotions import service
from transactional.promotions.models import CouponCode
from transactional.promotions.service import PromotionStatus, Terms

TEN = rule("percentage", bp=1_000)
TWENTY = rule("percentage", bp=2_000)


def discount(kit: TradeKit, variant_id: int) -> int:
    """What an order of one unit is lowered by now."""
    return kit.order(kit.buy({variant_id: 1}, pay=False)).discount_minor


def change(kit: TradeKit, promotion_id: int, given: dict[str, Any], **terms: Any) -> int:
    """Change an automatic offer; gives its version."""
    terms.setdefault("starts_at", kit.now - timedelta(days=1))
    terms.setdefault("is_automatic", True)
    return kit.run(
        lambda s: (
            service.change(
                s,
                promotion_id=promotion_id,
                terms=Terms(name="Changed", **terms),
                rule=given,
                actor="user:1",
                now=kit.now,
            ).version
        )
    )


def test_an_offer_gives_only_while_it_is_active(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=20)
    promotion_id = draft(kit, TEN, is_automatic=True)
    assert discount(kit, cup) == 0
    for status, expected in (
        (PromotionStatus.ACTIVE, 10_000),
        (PromotionStatus.PAUSED, 0),
        (PromotionStatus.ACTIVE, 10_000),
        (PromotionStatus.ENDED, 0),
    ):
        move(kit, promotion_id, status)
        assert discount(kit, cup) == expected, status
    with pytest.raises(Conflict, match="cannot become"):
        move(kit, promotion_id, PromotionStatus.ACTIVE)


def test_what_nobody_could_use_does_not_start(kit: TradeKit) -> None:
    promotion_id = draft(kit, TEN)
    with pytest.raises(Conflict, match="not automatic and has no code"):
        move(kit, promotion_id, PromotionStatus.ACTIVE)
    move(kit, promotion_id, PromotionStatus.SCHEDULED)  # its codes may be made meanwhile


def test_a_scheduled_offer_follows_the_clock_and_not_the_job(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", stock=20)
    times = {"starts_at": kit.now + timedelta(hours=1), "ends_at": kit.now + timedelta(hours=2)}
    promotion_id = draft(kit, TEN, is_automatic=True, **times)
    move(kit, promotion_id, PromotionStatus.SCHEDULED)
    assert discount(kit, cup) == 0
    clock.advance(timedelta(hours=1))
    assert discount(kit, cup) == 10_000, "the start is inclusive"
    assert kit.run(lambda s: service.follow_the_clock(s, now=kit.now)) == 1
    clock.advance(timedelta(hours=1))
    assert discount(kit, cup) == 0, "the end is exclusive"
    assert kit.run(lambda s: service.follow_the_clock(s, now=kit.now)) == 1
    assert kit.run(lambda s: service.follow_the_clock(s, now=kit.now)) == 0
    with kit.database.read() as session:
        assert service.get_promotion(session, promotion_id).status is PromotionStatus.ENDED


def test_a_change_is_a_new_version_and_orders_keep_theirs(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", stock=20)
    promotion_id = offer(kit, TEN)
    old = kit.buy({cup: 1})
    clock.advance(timedelta(minutes=5))
    assert change(kit, promotion_id, TWENTY) == 2
    new = kit.buy({cup: 1})
    assert [kit.order(one).discount_minor for one in (old, new)] == [10_000, 20_000]
    with kit.database.read() as session:
        assert [one.version for order in (old, new) for one in service.discounts_of(session, order)] == [1, 2]
        assert [row.rule["args"]["bp"] for row in service.versions_of(session, promotion_id)] == [1_000, 2_000]
        for order_id in (old, new):
            (applied,) = service.recompute(session, kit.order(order_id).price_trace)
            assert applied.amount_minor == kit.order(order_id).discount_minor


def test_other_terms_with_the_same_rule_are_no_new_version(kit: TradeKit) -> None:
    promotion_id = offer(kit, TEN)
    assert change(kit, promotion_id, TEN, ends_at=kit.now + timedelta(days=1)) == 1


def test_what_was_settled_when_it_left_the_draft_stays(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=20)
    free, counted = offer(kit, TEN), offer(kit, TWENTY, usage_limit=5)
    kit.buy({cup: 1})
    kit.buy({cup: 1})
    for promotion_id, terms in ((free, {"usage_limit": 5}), (counted, {}), (counted, {"usage_limit": 1})):
        with pytest.raises(Conflict):
            change(kit, promotion_id, TWENTY, **terms)
    with pytest.raises(Conflict, match="code is needed"):
        change(kit, free, TEN, is_automatic=False)
    assert change(kit, counted, TWENTY, usage_limit=9) == 1
    drafted = draft(kit, TEN)
    assert change(kit, drafted, TEN, usage_limit=1) == 1
    move(kit, drafted, PromotionStatus.ENDED)
    with pytest.raises(Conflict, match="history"):
        change(kit, drafted, TEN)
    with pytest.raises(NotFound):
        change(kit, 999, TEN)


@pytest.mark.parametrize(
    "terms",
    [
        {"name": " "},
        {"ends_at": "start"},
        {"usage_limit": 0},
        {"per_customer_limit": -1},
        {"holdout_bp": 10_000},
        {"holdout_bp": -1},
    ],
)
def test_terms_that_cannot_be_are_refused(kit: TradeKit, terms: dict[str, Any]) -> None:
    if "ends_at" in terms:
        terms = {"starts_at": kit.now, "ends_at": kit.now}
    with pytest.raises(InvalidInput):
        draft(kit, TEN, **terms)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({**TEN, "kind": "magic"}, "kind"),
        (rule("percentage", bp=0), "bp"),
        (rule("percentage", bp=10, colour="red"), "colour"),
        (rule("percentage", "shipping", bp=10), "discount_class"),
        (rule("percentage", bp=10, conditions={"min_spend": {"amount_minor": -1}}), "amount_minor"),
        ({}, "kind"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_its_place(kit: TradeKit, given: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput, match=where):
        draft(kit, given)


def test_a_batch_has_codes_that_count_once_each(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=20)
    promotion_id = code(kit, "ANY", TEN)

    def make(session: Any) -> list[str]:
        promotion = service.get_promotion(session, promotion_id)
        _, codes = service.make_batch(
            session, promotion=promotion, name="News", quantity=50, actor="user:1", now=kit.now, prefix="news"
        )
        return list(codes)

    codes = kit.run(make)
    assert len(set(codes)) == 50
    assert all(one.startswith("NEWS-") and len(one) == 17 for one in codes)
    assert kit.count(CouponCode, CouponCode.usage_limit == 1) == 50
    kit.buy({cup: 1}, coupon=codes[0].lower())
    with pytest.raises(service.CouponRefused):
        kit.buy({cup: 1}, coupon=codes[0], email="other@example.com")
    assert codes != kit.run(make)
    kit.assert_sound()


@pytest.mark.parametrize(
    "bad", [{"quantity": 0}, {"quantity": 10_001}, {"name": " "}, {"prefix": "A" * 28}, {"prefix": "%"}]
)
def test_a_batch_that_cannot_be_is_refused(kit: TradeKit, bad: dict[str, Any]) -> None:
    promotion_id = code(kit, "ANY", TEN)
    wanted = {"name": "News", "quantity": 1, "actor": "user:1", "now": kit.now} | bad
    with pytest.raises(InvalidInput):
        kit.run(lambda s: service.make_batch(s, promotion=service.get_promotion(s, promotion_id), **wanted))
    assert kit.count(CouponCode) == 1


def test_an_automatic_offer_takes_no_code(kit: TradeKit) -> None:
    promotion_id = offer(kit, TEN)
    with pytest.raises(InvalidInput, match="needs no code"):
        kit.run(
            lambda s: service.add_code(s, promotion=service.get_promotion(s, promotion_id), new=service.NewCode("X"))
        )
