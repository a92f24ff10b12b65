"""What a draft would have cost on past orders, beside the offers that they used; nothing is written."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from tests.support.keys import keyed
from tests.support.offers import code, draft, offer, rule
from tests.support.trade import TradeKit
from tests.support.web import log_in, make_client, make_staff
from transactional.checkout.preview import Preview, preview
from transactional.core.errors import InvalidInput, NotFound

TEN = rule("percentage", bp=1_000)


def run(kit: TradeKit, promotion_id: int, **period: Any) -> Preview:
    """The preview over the last day, unless told otherwise."""
    around = {"since": kit.now - timedelta(days=1), "until": kit.now + timedelta(days=1)} | period
    with kit.database.read() as session:
        return preview(session, promotion_id=promotion_id, currency="INR", **around)


def everything(kit: TradeKit) -> dict[str, int]:
    """Rows of every table."""
    with kit.database.read() as session:
        tables = inspect(session.get_bind()).get_table_names()
        return {name: session.execute(text(f"SELECT COUNT(*) FROM {name}")).scalar_one() for name in tables}


def test_a_draft_is_run_over_past_orders_and_writes_nothing(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", price=100_000, stock=9), kit.variant("CARD", price=20_000, stock=9)
    kit.buy({cup: 1}, email="a@example.com")
    kit.buy({card: 1}, email="b@example.com")
    promotion_id = draft(kit, rule("percentage", bp=1_000, conditions={"min_spend": {"amount_minor": 50_000}}))
    before = everything(kit)
    found = run(kit, promotion_id)
    assert everything(kit) == before
    assert (found.orders_seen, found.orders_lowered, found.cost_minor) == (2, 1, 10_000)
    assert found.reasons == {"min_spend": 1}
    assert [one.saving_minor for one in found.dearest] == [10_000]


def test_it_competes_with_what_the_orders_used(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    code(kit, "SEVEN", rule("percentage", bp=700))
    kit.buy({cup: 1}, coupon="SEVEN")
    assert run(kit, draft(kit, TEN, is_automatic=True)).cost_minor == 3_000, "only what it gives beyond the code"
    assert run(kit, draft(kit, rule("percentage", bp=500))).cost_minor == 0


def test_the_cost_is_what_the_offer_then_gives(kit: TradeKit) -> None:
    """Its own limits count in the order in which the orders came."""
    cup = kit.variant("CUP", price=100_000, stock=20)
    emails = ["a@example.com", "a+x@example.com", "b@example.com", "c@example.com"]
    for email in emails:
        kit.buy({cup: 1}, email=email)
    promotion_id = draft(kit, TEN, is_automatic=True, usage_limit=2, per_customer_limit=1)
    found = run(kit, promotion_id)
    assert (found.orders_lowered, found.cost_minor) == (2, 20_000)
    assert found.reasons == {"person_limit_reached": 1, "limit_reached": 1}
    offer(kit, TEN, usage_limit=2, per_customer_limit=1)
    given = [kit.order(kit.buy({cup: 1}, email=email)).discount_minor for email in emails]
    assert sum(given) == found.cost_minor


def test_first_orders_are_told_from_later_ones(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    for _ in range(3):
        kit.buy({cup: 1})
    found = run(kit, draft(kit, rule("percentage", bp=1_000, conditions={"first_order": {}})))
    assert (found.orders_lowered, found.reasons) == (1, {"first_order": 2})


def test_orders_given_up_and_those_of_another_time_do_not_count(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    kit.buy({cup: 1})
    promotion_id = draft(kit, TEN)
    assert run(kit, promotion_id, until=kit.now).orders_seen == 0, "the end is exclusive"
    assert run(kit, promotion_id, since=kit.now).orders_seen == 1
    for period in ({"until": kit.now - timedelta(days=2)}, {"since": kit.now - timedelta(days=400)}):
        with pytest.raises(InvalidInput):
            run(kit, promotion_id, **period)
    with pytest.raises(NotFound):
        run(kit, 999)


def test_over_http(kit: TradeKit, tmp_path: Path) -> None:
    client = make_client(kit.database, tmp_path)
    make_staff(kit.database, "boss@example.com", "super_admin")
    boss = log_in(client, "boss@example.com")
    kit.buy({kit.variant("CUP", price=100_000, stock=9): 1})
    body = {"since": "2026-01-15T00:00:00+05:30", "until": "2026-01-16T00:00:00+05:30"}
    url = f"/v1/staff/promotions/{draft(kit, TEN)}/preview"
    found = client.post(url, json=body, headers=keyed(boss))
    assert found.status_code == 200, found.text
    assert (found.json()["cost_minor"], found.json()["dearest"][0]["saving_minor"]) == (10_000, 10_000)
