"""Another address: refused where nobody goes, its charge settled before the order goes on, never taken silently."""

import pytest
from sqlalchemy import text

from tests.support.trade import TradeKit
from tests.transactional.orders.desk import due, pay, refunds
from tests.transactional.orders.test_changes import agree, assert_folds, propose
from transactional.core.errors import InvalidInput
from transactional.orders import service
from transactional.orders.service import OrderStatus, PaidOutcome
from transactional.orders.verification import verify_order
from transactional.shipping import tariff

NEAR, FAR = 4_000, 9_000


@pytest.fixture
def order_id(kit: TradeKit) -> int:
    """Two cups at 100.01 to 560001, sent for 40.00; to 7… it is 90.00, and nobody goes anywhere else."""

    def rates(session) -> None:  # type: ignore[no-untyped-def]
        for known in tariff.list_zones(session):
            tariff.delete_zone(session, zone_id=known.id)
        for prefix, charge in (("560", NEAR), ("7", FAR)):
            tariff.set_zone(session, country="IN", prefix=prefix, zone=f"z{prefix}")
            tariff.set_rate(
                session,
                zone=f"z{prefix}",
                currency="INR",
                slab_grams=30_000,
                first_minor=charge,
                next_minor=1_000,
                free_from_minor=None,
                max_grams=30_000,
            )

    kit.run(rates)
    return kit.buy({kit.variant("CUP", price=10_001, stock=9): 2})


def to(kit: TradeKit, order_id: int, postal_code: str) -> dict[str, object]:
    return {**kit.order(order_id).ship_to, "postal_code": postal_code}


def test_a_dearer_place_is_paid_for_first(kit: TradeKit, order_id: int) -> None:
    before = kit.order(order_id)
    assert before.shipping_minor == NEAR
    change = agree(kit, propose(kit, order_id, ship_to=to(kit, order_id, "700016")))
    assert (change.shipping_minor, change.difference_minor) == (FAR - NEAR, FAR - NEAR)
    assert kit.order(order_id).status is OrderStatus.AWAITING_EXTRA_PAYMENT
    assert kit.order(order_id).ship_to == before.ship_to
    assert due(kit, order_id) == FAR - NEAR
    assert pay(kit, order_id, FAR - NEAR) is PaidOutcome.CONFIRMED
    order = kit.order(order_id)
    assert (order.status, order.shipping_minor, order.total_minor) == (OrderStatus.PAID, FAR, 20_002 + FAR)
    assert order.ship_to["postal_code"] == "700016"
    assert_folds(kit, order_id)
    kit.run(lambda s: service.cancel(s, order_id=order_id, actor="t", reason="r", now=kit.now))
    assert refunds(kit) == {f"cancel:{order_id}": 20_002 + FAR}
    assert_folds(kit, order_id)


def test_a_cheaper_place_gives_the_difference_back(kit: TradeKit, order_id: int) -> None:
    there = agree(kit, propose(kit, order_id, ship_to=to(kit, order_id, "700016")))
    pay(kit, order_id, FAR - NEAR)
    line = kit.lines(order_id)[0].id
    back = agree(kit, propose(kit, order_id, ship_to=to(kit, order_id, "560001"), remove={line: 1}))
    assert (back.shipping_minor, back.difference_minor) == (NEAR - FAR, NEAR - FAR - 10_001)
    assert refunds(kit) == {f"change:{back.id}": FAR - NEAR + 10_001}
    order = kit.order(order_id)
    assert (order.status, order.shipping_minor) == (OrderStatus.PAID, NEAR)
    with kit.database.read() as session:
        assert order.total_minor - service.given_back_minor(session, order_id) == 10_001 + NEAR
    assert there.id != back.id
    assert_folds(kit, order_id)


def test_a_place_that_nobody_serves_is_refused(kit: TradeKit, order_id: int) -> None:
    for postal_code in ("110001", "12", "99999999"):
        with pytest.raises(InvalidInput):
            propose(kit, order_id, ship_to=to(kit, order_id, postal_code))
    assert kit.order(order_id).status is OrderStatus.PAID


def test_another_door_in_the_same_place_costs_nothing(kit: TradeKit, order_id: int) -> None:
    change = agree(kit, propose(kit, order_id, ship_to={**kit.order(order_id).ship_to, "line1": "7 Ring Road"}))
    assert (change.shipping_minor, change.difference_minor) == (0, 0)
    assert kit.order(order_id).shipping_minor == NEAR
    assert_folds(kit, order_id)


def test_an_order_on_delivery_pays_the_difference_at_the_door(kit: TradeKit, order_id: int) -> None:
    del order_id
    cash = kit.buy({kit.variant("JAR", price=10_001, stock=9): 1}, pay=False, payment_mode="on_delivery")
    agree(kit, propose(kit, cash, ship_to=to(kit, cash, "700016")))
    assert (kit.order(cash).status, due(kit, cash)) == (OrderStatus.AWAITING_PAYMENT, 10_001 + FAR)
    assert_folds(kit, cash)


def test_a_charge_that_no_change_explains_is_found(kit: TradeKit, order_id: int) -> None:
    with kit.database.unit_of_work(actor="nobody") as session:
        session.execute(text("UPDATE orders SET shipping_minor = shipping_minor + 1, total_minor = total_minor + 1"))
    with kit.database.read() as session:
        found = verify_order(session, order_id) or []
    assert [difference.field for difference in found] == ["shipping_minor"]
