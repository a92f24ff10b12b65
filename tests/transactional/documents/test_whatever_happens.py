"""Any life of an order, with the worker looking in at any moment: the papers say what the order is worth."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.trade import TradeKit
from tests.transactional.documents.office import Office
from transactional.core.errors import ShopError
from transactional.documents import service as documents
from transactional.orders import service as orders

Step = tuple[str, int, int, bool]
"""What is tried, with which line, how many units, and whether the reason lies with the shop."""

steps = st.lists(
    st.tuples(
        st.sampled_from(["cancel", "ship", "deliver", "come back", "return", "return", "settle", "credit"]),
        st.integers(0, 1),
        st.integers(1, 3),
        st.booleans(),
    ),
    min_size=3,
    max_size=12,
)


def attempt(office: Office, order_id: int, step: Step, name: str) -> int:
    """Try a step, which may be refused; gives what was credited by hand."""
    kit = office.kit
    what, which, quantity, ours = step
    common: dict[str, Any] = {"order_id": order_id, "now": kit.now}
    moved = common | {"units": {kit.lines(order_id)[which].id: quantity}, "actor": "test"}
    moves: dict[str, Callable[[Any], object]] = {
        "cancel": lambda s: orders.cancel_units(s, **moved, reason="test"),
        "ship": lambda s: orders.ship_parcel(s, **moved),
        "deliver": lambda s: orders.deliver(s, **common, actor="test"),
        "come back": lambda s: orders.parcel_came_back(s, **moved, ours=ours),
        "return": lambda s: orders.take_back(s, **moved, cause=name, reason="test", ours=ours),
        "settle": lambda s: documents.settle(s, **common, settings=office.config),
    }
    with suppress(ShopError):
        if what != "credit":
            kit.run(moves[what])
            return 0
        office.settle(order_id)
        kit.run(
            lambda s: documents.issue_credit_note(
                s, **common, amount_minor=quantity, key=name, reason="test", settings=office.config
            )
        )
        return quantity
    return 0


def assert_that_nothing_is_overlooked(office: Office, order_id: int) -> None:
    """Whoever is told that no paper is due misses none."""
    with office.kit.database.read() as session:
        due = documents.may_be_due(session, order_id)
    if not due:
        assert office.settle(order_id) == []


@pytest.mark.slow
@given(
    life=steps,
    prices=st.tuples(st.sampled_from([1, 99, 33_331]), st.sampled_from([7, 100_001])),
    rates=st.tuples(st.sampled_from([0, 300, 1_800]), st.sampled_from([25, 500, 2_800])),
    percent=st.sampled_from([0, 1_234, 9_900]),
    to=st.sampled_from([{"state": "Karnataka"}, {"state": "Goa"}, {"country": "GB"}]),
)
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_papers_say_what_the_order_is_worth(
    office: Office,
    kit: TradeKit,
    life: list[Step],
    prices: tuple[int, int],
    rates: tuple[int, int],
    percent: int,
    to: dict[str, str],
) -> None:
    serial = kit.count(orders.Order)
    if percent:
        kit.coupon(f"CODE{serial}", percent_bp=percent, min_spend_minor=20_000)
    basket = {kit.variant(f"SKU-{serial}-{i}", price=prices[i], stock=9, tax_rate_bp=rates[i]): 4 - i for i in range(2)}
    basket_code = f"CODE{serial}" if percent and sum(prices) > 20_000 else None
    order_id = office.buy(basket, to=to, coupon=basket_code)
    kit.run(lambda s: orders.pack(s, order_id=order_id, actor="test", now=kit.now))
    by_hand = 0
    for i, step in enumerate(life):
        by_hand += attempt(office, order_id, step, f"{order_id}-{i}")
        assert_that_nothing_is_overlooked(office, order_id)
    office.settle(order_id)
    assert office.settle(order_id) == []
    office.assert_sound(order_id)
    if office.documents(order_id):
        with kit.database.read() as session:
            given_back = orders.given_back_minor(session, order_id)
        assert office.on_paper(order_id) == max(0, kit.order(order_id).total_minor - given_back - by_hand)
