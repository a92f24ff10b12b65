"""Stock under parallel buyers, on PostgreSQL with committed data."""

from functools import partial

import pytest

from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit
from transactional.core.errors import OutOfStock
from transactional.inventory import service
from transactional.inventory.models import StockHold
from transactional.orders.models import Order

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


def test_forty_buyers_of_the_last_ten_units_get_exactly_ten(pg_kit: TradeKit) -> None:
    variant = pg_kit.variant("LAST", stock=10)
    baskets = [pg_kit.basket({variant: 1}) for _ in range(40)]
    outcomes = at_once(
        [partial(pg_kit.checkout, basket, email=f"b{n}@example.com") for n, basket in enumerate(baskets)]
    )
    assert len(successes(outcomes)) == 10
    assert {type(error) for error in failures(outcomes)} == {OutOfStock}
    assert pg_kit.level(variant) == (10, 10)
    assert pg_kit.count(Order) == 10
    pg_kit.assert_sound()


def test_opposite_orders_of_the_same_two_skus_do_not_deadlock(pg_kit: TradeKit) -> None:
    """On the level of the holds, where no order number serialises the two."""
    cup, lamp = pg_kit.variant("CUP", stock=100), pg_kit.variant("LAMP", stock=100)
    orders = [pg_kit.buy({cup: 1}) for _ in range(16)]

    def hold(order_id: int, first: int, second: int) -> None:
        with pg_kit.database.unit_of_work(actor="test") as session:  # without the repetition of `run`
            service.hold(session, order_id=order_id, demand={first: 1, second: 1}, expires_at=None, now=pg_kit.now)

    outcomes = at_once(
        [
            lambda n=n, order=order: hold(order, *((cup, lamp) if n % 2 else (lamp, cup)))
            for n, order in enumerate(orders)
        ]
    )
    assert failures(outcomes) == []
    assert pg_kit.level(cup)[1] == 32
    assert pg_kit.level(lamp)[1] == 16
    pg_kit.assert_sound()


def test_a_hold_that_two_workers_expire_is_freed_once(pg_kit: TradeKit) -> None:
    variant = pg_kit.variant("CUP", stock=5)
    order = pg_kit.buy({variant: 3}, pay=False)

    def free() -> int:
        return pg_kit.run(lambda s: service.release_holds(s, order, state=service.HoldState.EXPIRED, now=pg_kit.now))

    assert sorted(at_once([free] * 8)) == [0] * 7 + [1]
    assert pg_kit.level(variant) == (5, 0)
    assert pg_kit.count(StockHold, StockHold.state == service.HoldState.EXPIRED) == 1
    pg_kit.assert_sound()
