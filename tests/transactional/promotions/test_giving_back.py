"""Units that are given back and the minimums of several offers: each offer by its own version, to the paisa."""

import pytest

from tests.support.offers import code, move, offer, rule
from tests.support.trade import TradeKit
from transactional.orders import service as orders
from transactional.orders.service import OrderRefundDecision
from transactional.promotions import service
from transactional.promotions.service import PromotionStatus, Terms

JOINT = ["product", "order"]


def call_off(kit: TradeKit, order_id: int, line_id: int, quantity: int = 1) -> OrderRefundDecision:
    """Units are called off; gives what was decided."""
    return kit.run(
        lambda s: orders.cancel_units(
            s, order_id=order_id, units={line_id: quantity}, actor="test", reason="test", now=kit.now
        )
    )


@pytest.fixture
def order_id(kit: TradeKit) -> int:
    """Cup and card under an offer with a minimum that the cup alone misses, and a code without one."""
    cup, card = kit.variant("CUP", price=60_000, stock=9), kit.variant("CARD", price=40_000, stock=9)
    least = {"min_spend": {"amount_minor": 90_000}}
    offer(kit, rule("percentage", "product", bp=1_000, combines_with=JOINT, conditions=least), name="Ten from 900")
    code(kit, "FLAT", rule("fixed", "order", amount_minor=9_000, combines_with=JOINT))
    return kit.buy({cup: 1, card: 1}, coupon="FLAT")


def test_only_the_offer_whose_minimum_is_missed_is_withheld(kit: TradeKit, order_id: int) -> None:
    cup, card = kit.lines(order_id)
    assert (cup.line_discount_minor, card.line_discount_minor) == (6_000, 4_000)
    decision = call_off(kit, order_id, card.id)
    assert decision.units_minor == card.net_minor
    assert decision.coupon_withheld_minor == 6_000, "what the ten per cent still gave on the cup"
    assert decision.policy["coupon"]["min_spend_minor"] == 90_000


def test_giving_everything_back_gives_all_that_was_paid(kit: TradeKit, order_id: int) -> None:
    paid = kit.order(order_id).total_minor
    cup, card = kit.lines(order_id)
    refunds = [call_off(kit, order_id, line.id).refund_minor for line in (card, cup)]
    assert sum(refunds) == paid


def test_a_later_version_changes_nothing_for_the_order(kit: TradeKit, order_id: int) -> None:
    with kit.database.read() as session:
        promotion_id = service.discounts_of(session, order_id)[0].promotion_id
    harder = rule("percentage", "product", bp=1_000, conditions={"min_spend": {"amount_minor": 10}})
    terms = Terms(name="Ten", starts_at=kit.now, is_automatic=True)
    kit.run(
        lambda s: service.change(s, promotion_id=promotion_id, terms=terms, rule=harder, actor="test", now=kit.now).id
    )
    move(kit, promotion_id, PromotionStatus.ENDED)
    _, card = kit.lines(order_id)
    assert call_off(kit, order_id, card.id).coupon_withheld_minor == 6_000
