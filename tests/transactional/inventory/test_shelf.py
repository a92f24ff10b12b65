"""Locations, counts, transfers and the rules of a level."""

from typing import Any

import pytest

from tests.support.trade import TradeKit
from transactional.catalog.service import InventoryPolicy
from transactional.core.errors import Conflict, InvalidInput, NotFound, OutOfStock
from transactional.inventory import service
from transactional.inventory.models import StockMovement, StockTransfer
from transactional.inventory.service import MovementKind


@pytest.fixture
def main(kit: TradeKit) -> int:
    """The main store room."""
    return kit.run(lambda s: service.default_location(s).id)


@pytest.fixture
def back(kit: TradeKit, main: int) -> int:
    """A second room, which serves first."""
    assert main
    return kit.run(lambda s: service.create_location(s, code="back", name="Back room", priority=10).id)


def receive(kit: TradeKit, variant: int, place: int, quantity: int) -> None:
    """Goods come in."""
    kit.run(
        lambda s: (
            service.receive(s, variant_id=variant, location_id=place, quantity=quantity, reason="x", now=kit.now).id
        )
    )


def move(kit: TradeKit, variant: int, source: int, target: int, quantity: int) -> None:
    """Goods change places."""
    kit.run(
        lambda s: (
            service.transfer(
                s,
                variant_id=variant,
                from_location_id=source,
                to_location_id=target,
                quantity=quantity,
                reason="the fair",
                now=kit.now,
            ).id
        )
    )


def count(kit: TradeKit, variant: int, place: int, counted: int, reason: str = "yearly") -> StockMovement | None:
    """Somebody counts."""
    return kit.run(
        lambda s: service.count(s, variant_id=variant, location_id=place, counted=counted, reason=reason, now=kit.now)
    )


def rules(kit: TradeKit, variant: int, place: int, **changes: Any) -> None:
    """Set a level's rules."""
    kit.run(lambda s: service.set_rules(s, variant_id=variant, location_id=place, now=kit.now, **changes).id)


def at(kit: TradeKit, variant: int, place: int) -> tuple[int, int]:
    """(on hand, reserved) at one place."""
    with kit.database.read() as session:
        level = next(row for row in service.levels(session, variant_id=variant) if row.location_id == place)
    return level.on_hand, level.reserved


class TestLocations:
    def test_the_lowest_priority_number_serves_first_with_all_of_it(self, kit: TradeKit, main: int, back: int) -> None:
        cup = kit.variant("CUP", stock=5)
        receive(kit, cup, back, 2)
        kit.buy({cup: 2})
        assert (at(kit, cup, main), at(kit, cup, back)) == ((5, 0), (2, 2))
        kit.buy({cup: 3})
        assert (at(kit, cup, main), at(kit, cup, back)) == ((5, 3), (2, 2))
        with pytest.raises(OutOfStock):
            kit.buy({cup: 3})

    def test_an_inactive_one_promises_nothing_but_ships_what_it_holds(
        self, kit: TradeKit, main: int, back: int
    ) -> None:
        cup = kit.variant("CUP")
        receive(kit, cup, back, 5)
        order = kit.buy({cup: 2})
        kit.run(lambda s: service.update_location(s, location_id=back, is_active=False).id)
        with kit.database.read() as session:
            assert service.saleable(session, [cup]) == {cup: 0}
        with pytest.raises(OutOfStock):
            kit.buy({cup: 1})
        kit.ship(order)
        assert at(kit, cup, back) == (3, 0)
        kit.assert_sound()

    def test_codes_are_unique_whatever_their_case(self, kit: TradeKit, back: int) -> None:
        assert back
        with pytest.raises(Conflict, match="BACK"):
            kit.run(lambda s: service.create_location(s, code=" Back ", name="x"))
        with pytest.raises(InvalidInput, match="a code and a name"):
            kit.run(lambda s: service.create_location(s, code="X", name=" "))
        with pytest.raises(InvalidInput, match="has a name"):
            kit.run(lambda s: service.update_location(s, location_id=back, name=""))
        with pytest.raises(NotFound, match="location 77"):
            kit.run(lambda s: service.update_location(s, location_id=77, name="x"))


class TestTransfers:
    def test_it_is_one_transfer_and_two_movements(self, kit: TradeKit, main: int, back: int) -> None:
        cup = kit.variant("CUP", stock=5)
        move(kit, cup, main, back, 3)
        assert (at(kit, cup, main), at(kit, cup, back)) == ((2, 0), (3, 0))
        with kit.database.read() as session:
            halves = service.movements(session, kind=MovementKind.TRANSFER)
        assert {(half.location_id, half.quantity, half.transfer_id) for half in halves} == {(main, -3, 1), (back, 3, 1)}
        kit.assert_sound()

    def test_promised_units_stay(self, kit: TradeKit, main: int, back: int) -> None:
        cup = kit.variant("CUP", stock=5)
        kit.buy({cup: 3})
        for source, target in ((main, back), (back, main)):
            with pytest.raises(Conflict, match="promised to orders"):
                move(kit, cup, source, target, 3)
        assert kit.count(StockTransfer) == 0
        assert at(kit, cup, main) == (5, 3)
        move(kit, cup, main, back, 2)
        kit.assert_sound()

    def test_what_makes_no_sense_is_refused(self, kit: TradeKit, main: int, back: int) -> None:
        cup = kit.variant("CUP", stock=5)
        with pytest.raises(InvalidInput, match="another location"):
            move(kit, cup, main, main, 1)
        with pytest.raises(InvalidInput, match="at least 1"):
            move(kit, cup, main, back, 0)
        with pytest.raises(NotFound, match="location 77"):
            move(kit, cup, main, 77, 1)
        with pytest.raises(NotFound, match="variant 999"):
            move(kit, 999, main, back, 1)
        assert kit.count(StockTransfer) == 0


class TestCounts:
    @pytest.mark.parametrize(("counted", "difference"), [(0, -7), (5, -2), (9, 2)])
    def test_the_difference_is_an_adjustment_that_tells_both_figures(
        self, kit: TradeKit, main: int, counted: int, difference: int
    ) -> None:
        cup = kit.variant("CUP", stock=7)
        movement = count(kit, cup, main, counted)
        assert movement is not None
        assert (movement.kind, movement.quantity) == (MovementKind.ADJUSTMENT, difference)
        assert movement.reason == f"counted {counted}, booked 7: yearly"
        assert kit.level(cup) == (counted, 0)
        kit.assert_sound()

    def test_right_books_post_nothing(self, kit: TradeKit, main: int) -> None:
        cup = kit.variant("CUP", stock=7)
        assert count(kit, cup, main, 7) is None
        assert kit.count(StockMovement) == 1

    def test_a_first_count_opens_the_level(self, kit: TradeKit, main: int) -> None:
        cup = kit.variant("CUP")
        count(kit, cup, main, 4)
        assert kit.level(cup) == (4, 0)
        assert count(kit, cup, main, 4) is None

    def test_promised_units_are_not_counted_away(self, kit: TradeKit, main: int) -> None:
        cup = kit.variant("CUP", stock=7)
        kit.buy({cup: 5})
        with pytest.raises(Conflict, match="promised to orders"):
            count(kit, cup, main, 4)
        count(kit, cup, main, 5)
        kit.assert_sound()

    def test_it_needs_a_reason_and_a_figure(self, kit: TradeKit, main: int) -> None:
        cup = kit.variant("CUP", stock=7)
        with pytest.raises(InvalidInput, match="reason"):
            count(kit, cup, main, 4, " ")
        with pytest.raises(InvalidInput, match="not negative"):
            count(kit, cup, main, -1)


class TestRules:
    def test_back_orders_stop_at_the_limit(self, kit: TradeKit, main: int) -> None:
        lamp = kit.variant("LAMP", stock=1, policy=InventoryPolicy.BACKORDER)
        rules(kit, lamp, main, backorder_limit=2)
        with kit.database.read() as session:
            assert service.saleable(session, [lamp]) == {lamp: 3}
        kit.buy({lamp: 3})
        with pytest.raises(OutOfStock) as refused:
            kit.buy({lamp: 1})
        assert refused.value.extra["shortages"][0]["left"] == 0

    def test_units_kept_back_are_not_promised(self, kit: TradeKit, main: int) -> None:
        cup = kit.variant("CUP", stock=5)
        rules(kit, cup, main, threshold=2)
        with kit.database.read() as session:
            assert service.saleable(session, [cup]) == {cup: 3}
        with pytest.raises(OutOfStock):
            kit.buy({cup: 4})

    def test_a_limit_below_what_is_back_ordered_is_refused(self, kit: TradeKit, main: int) -> None:
        lamp = kit.variant("LAMP", policy=InventoryPolicy.BACKORDER)
        kit.buy({lamp: 3})
        with pytest.raises(Conflict, match="more than 2 units"):
            rules(kit, lamp, main, backorder_limit=2)
        rules(kit, lamp, main, backorder_limit=3)

    def test_goods_on_back_order_are_not_adjusted_below_the_limit(self, kit: TradeKit, main: int) -> None:
        lamp = kit.variant("LAMP", stock=4, policy=InventoryPolicy.BACKORDER)
        rules(kit, lamp, main, backorder_limit=1)
        kit.buy({lamp: 4})

        def lose(quantity: int) -> None:
            kit.run(
                lambda s: (
                    service.adjust(
                        s, variant_id=lamp, location_id=main, quantity=-quantity, reason="broken", now=kit.now
                    ).id
                )
            )

        with pytest.raises(Conflict):
            lose(2)
        lose(1)

    def test_only_what_is_given_changes(self, kit: TradeKit, main: int) -> None:
        cup = kit.variant("CUP", stock=5)
        rules(kit, cup, main, threshold=2, low_stock_level=3)
        rules(kit, cup, main, service_level_bp=9_900)
        with kit.database.read() as session:
            level = service.levels(session, variant_id=cup)[0]
        assert (level.threshold, level.low_stock_level, level.service_level_bp) == (2, 3, 9_900)

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"low_stock_level": -1},
            {"reorder_point": -1},
            {"backorder_limit": -1},
            {"service_level_bp": 0},
            {"service_level_bp": 10_000},
        ],
    )
    def test_rules_without_sense_are_refused(self, kit: TradeKit, main: int, changes: dict[str, int]) -> None:
        cup = kit.variant("CUP", stock=5)
        with pytest.raises(InvalidInput):
            rules(kit, cup, main, **changes)
