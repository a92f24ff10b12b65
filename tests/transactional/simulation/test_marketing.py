"""The marketing of the simulated shop: offers of every kind, points, partners and invitations, and books that close."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from tests.support.simulated import Played, livelier, play, rows
from transactional.affiliates import service as affiliates
from transactional.core.uow import Database
from transactional.loyalty import service as loyalty
from transactional.orders.service import Order
from transactional.promotions import service as promotions
from transactional.simulation import inviting, offers, partners
from transactional.simulation.trading import Plan

pytestmark = pytest.mark.slow

PLAN = Plan(customers=45, days=330, seed=5, end=datetime(2025, 12, 31, 18, 30, tzinfo=UTC))
LIVELY: tuple[tuple[Any, str, Any], ...] = (
    (partners, "_COMES_BY_LINK", 0.5),
    (partners, "_USES_OWN_CODE", 1.0),
    (inviting, "_COMES_INVITED", 0.9),
)
"""What some do among hundreds, most do among these few."""

CONTENT = (
    "SELECT name, kind, status, used FROM promotions ORDER BY id",
    "SELECT order_id, promotion_id, version, discount_class, amount_minor FROM order_discounts ORDER BY id",
    "SELECT promotion_id, person_hash, arm, is_applied, order_id, at FROM promotion_exposures ORDER BY id",
    "SELECT customer_id, wallet, source, state, amount, remaining, expires_at FROM point_lots ORDER BY id",
    "SELECT customer_id, tier, starts_at, reason FROM loyalty_tier_periods ORDER BY id",
    "SELECT customer_id, points, state, decided_by, decided_at FROM point_adjustments ORDER BY id",
    "SELECT affiliate_id, landing, consent, clicked_at FROM affiliate_clicks ORDER BY id",
    "SELECT order_id, affiliate_id, outcome, reason, decided_by FROM order_attributions ORDER BY id",
    "SELECT lot_id, kind, pending_minor, payable_minor, occurred_at FROM commission_entries ORDER BY id",
    "SELECT currency, total_minor, payouts, lots, created_at FROM payout_batches ORDER BY id",
    "SELECT order_id, customer_id, state, reason, granted_at FROM referrals ORDER BY id",
)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with livelier(LIVELY):  # also for those who play it once more
        outcome = play(tmp_path_factory.mktemp("marketing") / "shop.db", PLAN)
        yield outcome
    outcome[0].engine.dispose()


@pytest.fixture(scope="module")
def shop(played: Played) -> Database:
    return played[0]


def values(database: Database, sql: str) -> set[Any]:
    with database.read() as session:
        return set(session.scalars(text(sql)))


def test_offers_of_every_kind_lowered_an_order(shop: Database) -> None:
    kinds = "SELECT DISTINCT p.kind FROM promotions p JOIN order_discounts d ON d.promotion_id = p.id"
    assert values(shop, kinds) == {"percentage", "fixed", "free_shipping", "cheapest_item", "buy_x_get_y"}
    given = values(shop, "SELECT p.name FROM promotions p JOIN order_discounts d ON d.promotion_id = p.id")
    assert {"Welcome: 10 %", "Friends: 12 %", "A small thank-you"} <= given
    assert any(name.startswith("Letter of") for name in given)
    assert values(shop, "SELECT DISTINCT discount_class FROM order_discounts") == {"product", "order", "shipping"}
    assert values(shop, "SELECT DISTINCT code_id IS NULL FROM order_discounts") == {0, 1}
    assert values(shop, "SELECT DISTINCT state FROM coupon_redemptions") >= {"redeemed"}
    assert values(shop, "SELECT DISTINCT arm FROM promotion_exposures") == {"treated", "held_out"}


def test_limits_groups_and_single_use_held(shop: Database) -> None:
    assert rows(shop, "SELECT id FROM coupon_codes WHERE used > usage_limit") == []
    twice = """
        SELECT r.order_id FROM coupon_redemptions r JOIN coupon_codes c ON c.id = r.code_id
        WHERE c.code = 'WELCOME10' AND r.state <> 'released' AND EXISTS (
            SELECT 1 FROM orders o JOIN orders mine ON mine.id = r.order_id
            WHERE o.customer_id = mine.customer_id AND o.id < mine.id AND o.paid_at < mine.placed_at
        )
    """
    assert rows(shop, twice) == []
    outsiders = f"""
        SELECT d.order_id FROM order_discounts d JOIN promotions p ON p.id = d.promotion_id
        JOIN orders o ON o.id = d.order_id WHERE p.name = 'Friends: 12 %' AND NOT EXISTS (
            SELECT 1 FROM customer_group_members m JOIN customer_groups g ON g.id = m.group_id
            WHERE g.name = '{offers.FRIENDS}' AND m.customer_id = o.customer_id AND m.valid_from <= o.placed_at
        )
    """
    assert rows(shop, outsiders) == []


def test_whoever_was_left_out_never_had_the_offer_and_its_true_effect_is_known(played: Played) -> None:
    shop, _, truth = played
    assert rows(shop, "SELECT id FROM promotion_exposures WHERE arm = 'held_out' AND is_applied") == []
    (experiment,) = truth["experiments"]
    assert experiment["holdout_bp"] == offers.HOLD_OUT_BP
    assert experiment["visits"] > 10
    assert 0 < experiment["held_out_purchase_rate"] < experiment["treated_purchase_rate"] < 1
    assert experiment["uplift"] == pytest.approx(
        experiment["treated_purchase_rate"] - experiment["held_out_purchase_rate"], abs=1e-5
    )


def test_points_of_every_sort_came_and_went(shop: Database) -> None:
    assert values(shop, "SELECT DISTINCT wallet FROM point_lots") == {"earned", "promotional"}
    assert values(shop, "SELECT DISTINCT source FROM point_lots") >= {"order", "adjustment", "campaign", "referral"}
    assert values(shop, "SELECT DISTINCT state FROM point_lots") >= {"pending", "active", "spent", "expired"}
    assert values(shop, "SELECT DISTINCT reason FROM loyalty_tier_periods") >= {"start", "upgrade"}
    assert values(shop, "SELECT DISTINCT version FROM loyalty_programmes") == {1, 2}
    assert len(values(shop, "SELECT DISTINCT multiplier_bp FROM point_lots")) > 2
    second = "SELECT id FROM point_adjustments WHERE decided_by IS NOT NULL AND state = 'applied'"
    assert rows(shop, second) != []


def test_partners_brought_buyers_and_were_paid(played: Played) -> None:
    shop, counts, _ = played
    assert counts["clicks"] > 0
    assert counts["payouts"] > 0
    assert values(shop, "SELECT DISTINCT outcome FROM order_attributions") == {"credited", "refused"}
    assert values(shop, "SELECT DISTINCT reason FROM order_attributions WHERE outcome = 'refused'") == {"same_account"}
    assert values(shop, "SELECT DISTINCT state FROM commission_lots") >= {"paid"}
    unequal = """
        SELECT b.id FROM payout_batches b WHERE b.total_minor <> (
            SELECT sum(l.amount_minor) FROM payout_lots l JOIN affiliate_payouts p ON p.id = l.payout_id
            WHERE p.batch_id = b.id
        )
    """
    assert rows(shop, unequal) == []
    with shop.read() as session:
        for batch in session.scalars(select(affiliates.PayoutBatch)):
            assert affiliates.export(session, batch)


def test_friends_were_invited_and_nobody_by_themselves(shop: Database) -> None:
    assert ("granted", None) in rows(shop, "SELECT state, reason FROM referrals")
    assert ("refused", "same_account") in rows(shop, "SELECT state, reason FROM referrals")
    rewarded = "SELECT count(*) FROM point_lots WHERE source = 'referral'"
    granted = "SELECT count(*) * 2 FROM referrals WHERE granted_at IS NOT NULL"
    assert values(shop, rewarded) == values(shop, granted)


def test_every_ledger_closes_and_every_discount_is_worked_out_again(shop: Database) -> None:
    with shop.read() as session:
        assert loyalty.discrepancies(session) == []
        assert loyalty.tier_discrepancies(session, now=PLAN.end) == []
        assert promotions.counter_discrepancies(session) == []
        assert affiliates.discrepancies(session) == []
        for order in session.scalars(select(Order)):
            worked_out = sum(one.amount_minor for one in promotions.recompute(session, order.price_trace))
            given = sum(row.amount_minor for row in promotions.discounts_of(session, order.id))
            assert worked_out == given


def test_the_same_seed_gives_the_same_marketing(shop: Database, tmp_path: Path) -> None:
    again, _, _ = play(tmp_path / "again.db", PLAN)
    for sql in CONTENT:
        assert rows(again, sql) == rows(shop, sql), sql
    again.engine.dispose()
