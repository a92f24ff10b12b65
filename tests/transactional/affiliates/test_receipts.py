"""A receipt leads from the click to the commission, and shows whoever changed a row in between."""

import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import update

from tests.transactional.affiliates.desk import Desk
from transactional.affiliates import service as affiliates
from transactional.affiliates.models import AffiliateClick, CommissionLot, OrderAttribution
from transactional.affiliates.receipting import Link


@pytest.fixture
def mug(desk: Desk) -> int:
    return desk.kit.variant("MUG", stock=99)


def links_of(desk: Desk, order: int) -> list[Link]:
    found = desk.attribution(order)
    assert found is not None
    with desk.kit.database.read() as session:
        return list(affiliates.chain(session, found))


def test_anybody_can_compute_the_chain_from_its_facts(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    order = desk.buy({mug: 2}, visitor_id=desk.click(affiliate))
    click, bought, earned = links = links_of(desk, order)
    assert [link.kind for link in links] == ["click", "order", "commission"]
    for link in links:
        plain = json.dumps(link.facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(plain.encode()).hexdigest() == link.sha256
    assert bought.facts["evidence_sha256"] == click.sha256
    assert earned.facts["attribution_sha256"] == bought.sha256
    assert affiliates.is_unbroken(links)


def test_a_bound_buyers_chain_begins_with_the_click_of_long_ago(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    desk.buy({mug: 1}, visitor_id=desk.click(affiliate))
    for _ in range(2):
        desk.later(days=100)
        order = desk.buy({mug: 1})
    links = links_of(desk, order)
    assert [link.kind for link in links] == ["click", "order", "order", "order", "commission"]
    assert affiliates.is_unbroken(links)


def test_receipts_are_numbered_without_gaps_and_each_names_the_one_before(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    orders = [desk.buy({mug: 1}, visitor_id=desk.click(affiliate), email=f"{i}@example.com") for i in range(3)]
    found = [attribution for order in orders if (attribution := desk.attribution(order))]
    assert [attribution.number for attribution in found] == [1, 2, 3]
    assert [a.previous_sha256 for a in found] == [None, found[0].sha256, found[1].sha256]
    with desk.kit.database.read() as session:
        assert all(affiliates.follows_on(session, attribution) for attribution in found)
    desk.kit.run(lambda s: s.execute(update(OrderAttribution).values(number=OrderAttribution.number + 10)) and None)
    with desk.kit.database.read() as session:
        moved = session.get_one(OrderAttribution, found[0].id)
        assert not affiliates.follows_on(session, moved), "its number says that one came before it"


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (AffiliateClick, {"landing": "/elsewhere"}),
        (OrderAttribution, {"number": 9}),
        (CommissionLot, {"net_minor": 1}),
        (AffiliateClick, {"sha256": "0" * 64}),
        (OrderAttribution, {"sha256": "0" * 64}),
    ],
    ids=str,
)
def test_a_changed_row_breaks_the_chain(desk: Desk, mug: int, model: Any, values: dict[str, Any]) -> None:
    affiliate = desk.affiliate(desk.programme())
    order = desk.buy({mug: 1}, visitor_id=desk.click(affiliate))
    desk.kit.run(lambda s: s.execute(update(model).values(**values)) and None)
    assert not affiliates.is_unbroken(links_of(desk, order))


def test_a_code_needs_no_click_and_tells_no_shopper(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    desk.code(affiliate, "ASHA-GIFTS")
    links = links_of(desk, desk.buy({mug: 1}, referral_code="ASHA-GIFTS"))
    assert [link.kind for link in links] == ["order", "commission"]
    assert affiliates.is_unbroken(links)
    assert "guest@example.com" not in json.dumps([link.facts for link in links])
