"""Parcels and partial cancellations: holds end by the unit."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit, settings
from transactional.catalog.service import InventoryPolicy
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, InvalidInput
from transactional.inventory import service
from transactional.inventory.models import StockHold
from transactional.inventory.service import HoldState, MovementKind, SoldLine
from transactional.orders.jobs import expire_unpaid_orders


def fulfil(kit: TradeKit, order: int, *lines: SoldLine) -> None:
    """A parcel with these units leaves."""
    kit.run(lambda s: service.fulfil_units(s, order_id=order, lines=lines, now=kit.now))


def release(kit: TradeKit, order: int, units: dict[int, int]) -> None:
    """Units are not wanted any more."""
    kit.run(lambda s: service.release_units(s, order_id=order, units=units, now=kit.now))


def holds(kit: TradeKit, order: int) -> list[tuple[HoldState, int]]:
    """State and units of the order's holds, oldest first."""
    with kit.database.read() as session:
        return [(hold.state, hold.quantity) for hold in reversed(service.holds(session, order_id=order))]


def test_a_parcel_takes_its_units_in_the_name_of_its_line(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order = kit.buy({cup: 5})
    line = kit.lines(order)[0].id
    fulfil(kit, order, SoldLine(line, cup, 2))
    assert kit.level(cup) == (7, 3)
    assert holds(kit, order) == [(HoldState.LIVE, 3), (HoldState.FULFILLED, 2)]
    fulfil(kit, order, SoldLine(line, cup, 3))
    assert kit.level(cup) == (4, 0)
    with kit.database.read() as session:
        sales = service.movements(session, variant_id=cup, kind=MovementKind.SALE)
    assert [(sale.quantity, sale.order_line_id) for sale in sales] == [(-3, line), (-2, line)]
    kit.assert_sound()


def test_more_than_is_held_is_refused_and_nothing_of_it_happens(kit: TradeKit) -> None:
    cup, lamp = kit.variant("CUP", stock=9), kit.variant("LAMP", stock=9)
    order = kit.buy({cup: 2, lamp: 1})
    first, second = (line.id for line in kit.lines(order))
    with pytest.raises(Conflict, match=f"does not hold 2 units of variant {lamp}"):
        fulfil(kit, order, SoldLine(first, cup, 2), SoldLine(second, lamp, 2))
    with pytest.raises(Conflict, match="does not hold 3 units"):
        release(kit, order, {cup: 3})
    with pytest.raises(Conflict, match="variant 999"):
        release(kit, order, {999: 1})
    with pytest.raises(InvalidInput, match="at least 1"):
        release(kit, order, {cup: 0})
    assert kit.level(cup) == (9, 2)
    kit.assert_sound()


def test_parcels_and_cancellations_share_one_hold_and_leave_the_rest(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order = kit.buy({cup: 6})
    line = kit.lines(order)[0].id
    release(kit, order, {cup: 1})
    fulfil(kit, order, SoldLine(line, cup, 2))
    assert kit.level(cup) == (7, 3)
    assert kit.run(lambda s: service.release_holds(s, order, state=HoldState.RELEASED, now=kit.now)) == 1
    assert kit.level(cup) == (7, 0)
    assert sorted(holds(kit, order)) == [(HoldState.FULFILLED, 2), (HoldState.RELEASED, 1), (HoldState.RELEASED, 3)]
    kit.assert_sound()


def test_two_lines_of_one_variant_are_told_apart(kit: TradeKit) -> None:
    """Same cup, two engravings: one hold, two sales."""
    cup = kit.variant("CUP", stock=9)
    order = kit.buy({cup: 5})
    line = kit.lines(order)[0].id
    other = kit.lines(kit.buy({kit.variant("LAMP", stock=1): 1}))[0].id
    fulfil(kit, order, SoldLine(line, cup, 2), SoldLine(other, cup, 3))
    with kit.database.read() as session:
        sales = service.movements(session, variant_id=cup, kind=MovementKind.SALE)
    assert {(sale.order_line_id, sale.quantity) for sale in sales} == {(line, -2), (other, -3)}
    kit.assert_sound()


def test_holds_added_later_end_after_the_older_ones(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order = kit.buy({cup: 2})
    line = kit.lines(order)[0].id
    kit.run(lambda s: service.hold(s, order_id=order, demand={cup: 3}, expires_at=None, now=kit.now))
    fulfil(kit, order, SoldLine(line, cup, 4))
    assert holds(kit, order) == [(HoldState.FULFILLED, 2), (HoldState.LIVE, 1), (HoldState.FULFILLED, 2)]
    assert kit.level(cup) == (5, 1)
    kit.assert_sound()


def test_the_whole_order_ships_from_several_holds(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order = kit.buy({cup: 2})
    line = kit.lines(order)[0].id
    kit.run(lambda s: service.hold(s, order_id=order, demand={cup: 1}, expires_at=None, now=kit.now))
    lines = [SoldLine(line, cup, 3)]
    assert kit.run(lambda s: service.fulfil_holds(s, order, lines=lines, now=kit.now)) == 2
    with kit.database.read() as session:
        sales = service.movements(session, variant_id=cup, kind=MovementKind.SALE)
    assert {sale.order_line_id for sale in sales} == {line}
    assert kit.level(cup) == (6, 0)


def test_a_part_of_a_hold_keeps_its_beginning(kit: TradeKit, clock: ManualClock) -> None:
    """So that what was reserved at any moment can be told."""
    cup = kit.variant("CUP", stock=9)
    began = kit.now
    order = kit.buy({cup: 5})
    line = kit.lines(order)[0].id
    clock.advance(timedelta(days=1))
    fulfil(kit, order, SoldLine(line, cup, 2))
    clock.advance(timedelta(days=1))
    release(kit, order, {cup: 3})
    with kit.database.read() as session:
        place = service.locations(session)[0].id
        told = [
            service.position_at(session, variant_id=cup, location_id=place, at=began + timedelta(hours=hours))
            for hours in (-1, 0, 23, 24, 47, 48)
        ]
    assert [(position.on_hand, position.reserved) for position in told] == [
        (0, 0), (9, 5), (9, 5), (7, 3), (7, 3), (7, 0),
    ]  # fmt: skip


def test_extending_gives_time_but_never_takes_it(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order = kit.buy({cup: 1}, pay=False)
    later = kit.now + timedelta(hours=1)
    assert kit.run(lambda s: service.extend_holds(s, order, expires_at=later)) == 1
    assert kit.run(lambda s: service.extend_holds(s, order, expires_at=later)) == 0
    assert kit.run(lambda s: service.extend_holds(s, order, expires_at=kit.now)) == 0
    assert kit.count(StockHold, StockHold.expires_at == later) == 1
    kit.pay(order)
    assert kit.run(lambda s: service.extend_holds(s, order, expires_at=later + timedelta(days=1))) == 0
    assert kit.count(StockHold, StockHold.expires_at.is_(None)) == 1, "a paid order's hold never expires again"


def test_guests_may_have_another_time_than_customers(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    config = settings(hold_minutes=30, guest_hold_minutes=10)
    kit.buy({cup: 1}, pay=False, settings=config)
    kit.buy({cup: 1}, pay=False, settings=config, customer_id=kit.customer())
    kit.buy({cup: 1}, pay=False, settings=settings(hold_minutes=20), email="other@example.com")
    with kit.database.read() as session:
        waits = [hold.expires_at - hold.created_at for hold in reversed(service.holds(session)) if hold.expires_at]
    assert waits == [timedelta(minutes=10), timedelta(minutes=30), timedelta(minutes=20)]


def test_overdue_holds_are_found(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", stock=9)
    order = kit.buy({cup: 1}, pay=False)
    kit.buy({cup: 1})
    clock.advance(timedelta(days=1))
    with kit.database.read() as session:
        assert [hold.order_id for hold in service.holds(session, overdue_at=kit.now)] == [order]


def test_the_expiry_job_frees_an_unpaid_order_once(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", stock=9)
    kit.buy({cup: 2}, pay=False)
    kit.buy({cup: 3})
    clock.advance(timedelta(days=1))
    for _ in range(3):
        expire_unpaid_orders(kit.database)
        assert kit.level(cup) == (9, 3)
    assert kit.count(StockHold, StockHold.state == HoldState.EXPIRED) == 1
    kit.assert_sound()


def test_what_an_order_holds_is_free_for_itself(kit: TradeKit) -> None:
    cup, lamp = kit.variant("CUP", stock=5), kit.variant("LAMP", stock=5)
    order = kit.buy({cup: 3})
    kit.buy({cup: 1})

    def saleable(session: Session) -> tuple[dict[int, int | None], dict[int, int | None]]:
        return (
            service.saleable(session, [cup, lamp]),
            service.saleable(session, [cup, lamp], own_order_id=order),
        )

    with kit.database.read() as session:
        assert saleable(session) == ({cup: 1, lamp: 5}, {cup: 4, lamp: 5})


def test_back_orders_ship_from_an_empty_shelf(kit: TradeKit) -> None:
    lamp = kit.variant("LAMP", policy=InventoryPolicy.BACKORDER)
    order = kit.buy({lamp: 2})
    fulfil(kit, order, SoldLine(kit.lines(order)[0].id, lamp, 1))
    assert kit.level(lamp) == (-1, 1)
    kit.assert_sound()
