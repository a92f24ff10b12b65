"""Stock under parallel buyers, on PostgreSQL with committed data.

Nothing here is repeated when the database asks for it: a deadlock would reach the client and fail the test.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import pytest
from sqlalchemy.orm import Session

from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit
from transactional.core.errors import Conflict, OutOfStock
from transactional.core.uow import Database
from transactional.inventory import service
from transactional.inventory.models import StockAlert, StockHold, StockMovement
from transactional.inventory.service import MovementKind, SoldLine
from transactional.orders.models import Order

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

T = TypeVar("T")
BUYERS = 200


class ImpatientKit(TradeKit):
    """Trades without the repetition of `Database.run`."""

    def run(self, work: Callable[[Session], T]) -> T:
        """Do something in one unit of work."""
        with self.database.unit_of_work(actor="test") as session:
            return work(session)


@pytest.fixture
def shop(pg_database: Database) -> ImpatientKit:
    """On PostgreSQL."""
    return ImpatientKit(pg_database)


def test_two_hundred_buyers_of_the_last_ten_units_get_exactly_ten(shop: ImpatientKit) -> None:
    variant = shop.variant("LAST", stock=10)
    baskets = [shop.basket({variant: 1}) for _ in range(BUYERS)]
    outcomes = at_once([partial(shop.checkout, basket, email=f"b{n}@example.com") for n, basket in enumerate(baskets)])
    assert len(successes(outcomes)) == 10
    assert {type(error) for error in failures(outcomes)} == {OutOfStock}
    assert shop.level(variant) == (10, 10)
    assert shop.count(Order) == 10
    shop.assert_sound()


def test_opposite_carts_of_the_same_two_skus_do_not_deadlock(shop: ImpatientKit) -> None:
    cup, lamp = shop.variant("CUP", stock=100), shop.variant("LAMP", stock=100)
    baskets = [shop.basket({cup: 1, lamp: 1} if n % 2 else {lamp: 1, cup: 1}) for n in range(16)]
    outcomes = at_once([partial(shop.checkout, basket, email=f"b{n}@example.com") for n, basket in enumerate(baskets)])
    assert failures(outcomes) == []
    assert shop.level(cup)[1] == shop.level(lamp)[1] == 16
    shop.assert_sound()


def test_opposite_holds_do_not_deadlock_either(shop: ImpatientKit) -> None:
    """Where no order number serialises the two; a hamper of both lies across."""
    cup, lamp, box = shop.variant("CUP", stock=100), shop.variant("LAMP", stock=100), shop.variant("BOX")
    shop.run(lambda s: service.set_components(s, bundle_variant_id=box, components={lamp: 1, cup: 2}))
    ticket = shop.variant("TICKET", stock=100)
    orders = [shop.buy({ticket: 1}) for _ in range(24)]
    demands = [{cup: 1, lamp: 1}, {lamp: 1, cup: 1}, {box: 1}]

    def hold(order_id: int, demand: dict[int, int]) -> None:
        shop.run(lambda s: service.hold(s, order_id=order_id, demand=demand, expires_at=None, now=shop.now))

    assert failures(at_once([partial(hold, order, demands[n % 3]) for n, order in enumerate(orders)])) == []
    assert (shop.level(cup)[1], shop.level(lamp)[1]) == (32, 24)

    def end(order_id: int, n: int) -> None:
        if n % 2:
            shop.run(lambda s: service.release_holds(s, order_id, state=service.HoldState.RELEASED, now=shop.now))
        else:
            shop.run(lambda s: service.fulfil_holds(s, order_id, now=shop.now))

    assert failures(at_once([partial(end, order, n) for n, order in enumerate(orders)])) == []
    assert (shop.level(cup), shop.level(lamp)) == ((84, 0), (88, 0))
    shop.assert_sound()


def test_a_hold_that_many_workers_expire_is_freed_once(shop: ImpatientKit) -> None:
    variant = shop.variant("CUP", stock=5)
    order = shop.buy({variant: 3}, pay=False)

    def free() -> int:
        return shop.run(lambda s: service.release_holds(s, order, state=service.HoldState.EXPIRED, now=shop.now))

    assert sorted(at_once([free] * 8)) == [0] * 7 + [1]
    assert shop.level(variant) == (5, 0)
    assert shop.count(StockHold, StockHold.state == service.HoldState.EXPIRED) == 1
    shop.assert_sound()


def test_parts_of_one_hold_end_once_each(shop: ImpatientKit) -> None:
    """Parcels and cancellations of one order at the same time: five units are five units."""
    variant = shop.variant("CUP", stock=9)
    order = shop.buy({variant: 5})
    line = shop.lines(order)[0].id

    def ship() -> None:
        lines = [SoldLine(line, variant, 1)]
        shop.run(lambda s: service.fulfil_units(s, order_id=order, lines=lines, now=shop.now))

    def cancel() -> None:
        shop.run(lambda s: service.release_units(s, order_id=order, units={variant: 1}, now=shop.now))

    outcomes = at_once([ship] * 6 + [cancel] * 6)
    assert len(successes(outcomes)) == 5
    assert {type(error) for error in failures(outcomes)} == {Conflict}
    sold = shop.count(StockMovement, StockMovement.kind == MovementKind.SALE)
    assert shop.level(variant) == (9 - sold, 0)
    shop.assert_sound()


def test_a_list_that_changes_while_it_is_first_ordered_is_the_one_that_is_held(shop: ImpatientKit) -> None:
    cup, box, ticket = shop.variant("CUP", stock=99), shop.variant("BOX"), shop.variant("TICKET", stock=99)

    def make(cups: int) -> None:
        shop.run(lambda s: service.set_components(s, bundle_variant_id=box, components={cup: cups}))

    def hold(order_id: int) -> None:
        shop.run(lambda s: service.hold(s, order_id=order_id, demand={box: 1}, expires_at=None, now=shop.now))

    make(1)
    orders = [shop.buy({ticket: 1}) for _ in range(12)]
    works: list[Callable[[], None]] = [partial(hold, order) for order in orders]
    outcomes = at_once([*works[:6], *(partial(make, cups) for cups in (2, 3, 4)), *works[6:]])
    assert {type(error) for error in failures(outcomes)} <= {Conflict, OutOfStock}
    with shop.database.read() as session:
        [units] = service.bundle(session, box).values()
        held = [row.quantity for row in service.holds(session, variant_id=box)]
    assert set(held) <= {units}, "every hold is of the list that stayed"
    shop.assert_sound()


def test_back_orders_stop_at_their_limit(shop: ImpatientKit) -> None:
    from transactional.catalog.service import InventoryPolicy

    variant = shop.variant("LAMP", stock=2, policy=InventoryPolicy.BACKORDER)
    place = shop.run(lambda s: service.default_location(s).id)
    shop.run(lambda s: service.set_rules(s, variant_id=variant, location_id=place, now=shop.now, backorder_limit=3).id)
    baskets = [shop.basket({variant: 1}) for _ in range(24)]
    outcomes = at_once([partial(shop.checkout, basket, email=f"b{n}@example.com") for n, basket in enumerate(baskets)])
    assert len(successes(outcomes)) == 5
    assert shop.level(variant) == (2, 5)
    shop.assert_sound()


def test_transfers_both_ways_beside_sales_do_not_deadlock_and_lose_nothing(shop: ImpatientKit) -> None:
    cup, lamp = shop.variant("CUP", stock=60), shop.variant("LAMP", stock=60)
    main = shop.run(lambda s: service.default_location(s).id)
    back = shop.run(lambda s: service.create_location(s, code="BACK", name="Back room", priority=10).id)

    def move(variant: int, source: int, target: int, quantity: int) -> None:
        shop.run(
            lambda s: service.transfer(
                s,
                variant_id=variant,
                from_location_id=source,
                to_location_id=target,
                quantity=quantity,
                reason="x",
                now=shop.now,
            )
        )

    for variant in (cup, lamp):
        move(variant, main, back, 30)
    baskets = [shop.basket({cup: 1, lamp: 1}) for _ in range(12)]
    sales = [partial(shop.checkout, basket, email=f"b{n}@example.com") for n, basket in enumerate(baskets)]
    moves = [
        partial(move, variant, source, target, 1)
        for variant in (cup, lamp)
        for source, target in ((main, back), (back, main))
        for _ in range(6)
    ]
    assert failures(at_once(sales + moves)) == []
    assert shop.level(cup) == shop.level(lamp) == (60, 12)
    shop.assert_sound()


def test_one_crossing_under_many_buyers_is_one_alert(shop: ImpatientKit) -> None:
    variant = shop.variant("CUP", stock=12)
    place = shop.run(lambda s: service.default_location(s).id)
    shop.run(lambda s: service.set_rules(s, variant_id=variant, location_id=place, now=shop.now, low_stock_level=10).id)
    baskets = [shop.basket({variant: 1}) for _ in range(12)]
    outcomes = at_once([partial(shop.checkout, basket, email=f"b{n}@example.com") for n, basket in enumerate(baskets)])
    assert failures(outcomes) == []
    with shop.database.read() as session:
        [alert] = session.query(StockAlert).all()
    assert (alert.saleable, alert.closed_at) == (9, None)
