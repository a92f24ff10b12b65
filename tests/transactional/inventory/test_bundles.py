"""Hampers: their parts are counted, held, sold and put back."""

import pytest

from tests.support.trade import TradeKit
from transactional.catalog.service import InventoryPolicy
from transactional.core.errors import Conflict, InvalidInput, NotFound, OutOfStock
from transactional.inventory import service
from transactional.inventory.models import BundleComponent, StockHold, StockLevel, StockMovement
from transactional.inventory.service import MovementKind, SoldLine


def make_bundle(kit: TradeKit, bundle: int, components: dict[int, int]) -> None:
    """Say what it is made of."""
    kit.run(lambda s: service.set_components(s, bundle_variant_id=bundle, components=components))


def saleable(kit: TradeKit, *variants: int) -> list[int | None]:
    """How many of each one order can have."""
    with kit.database.read() as session:
        found = service.saleable(session, variants)
    return [found[variant] for variant in variants]


@pytest.fixture
def hamper(kit: TradeKit) -> tuple[int, int, int]:
    """(hamper, cup, card): a hamper is two cups of seven and a card of five."""
    cup, card, box = kit.variant("CUP", stock=7), kit.variant("CARD", stock=5), kit.variant("HAMPER")
    make_bundle(kit, box, {cup: 2, card: 1})
    return box, cup, card


def test_the_scarcest_part_says_how_many_can_be_had(kit: TradeKit, hamper: tuple[int, int, int]) -> None:
    box, cup, card = hamper
    assert saleable(kit, box, cup, card) == [3, 7, 5]
    kit.buy({card: 3})
    assert saleable(kit, box) == [2]


def test_an_order_holds_and_ships_the_parts(kit: TradeKit, hamper: tuple[int, int, int]) -> None:
    box, cup, card = hamper
    order = kit.buy({box: 2})
    assert (kit.level(cup), kit.level(card), kit.level(box)) == ((7, 4), (5, 2), (0, 0))
    assert saleable(kit, box) == [1]
    kit.ship(order)
    assert (kit.level(cup), kit.level(card)) == ((3, 0), (3, 0))
    line = kit.lines(order)[0].id
    with kit.database.read() as session:
        sales = service.movements(session, kind=MovementKind.SALE)
    assert {(sale.variant_id, sale.quantity, sale.order_line_id) for sale in sales} == {
        (cup, -4, line),
        (card, -2, line),
    }
    assert kit.count(StockMovement, StockMovement.variant_id == box) == 0
    assert kit.count(StockLevel, StockLevel.variant_id == box) == 0
    kit.assert_sound()


def test_parts_in_the_same_order_as_the_bundle_are_kept_apart(kit: TradeKit, hamper: tuple[int, int, int]) -> None:
    """A hamper and a cup besides: five cups off one shelf, three promises."""
    box, cup, card = hamper
    order = kit.buy({box: 2, cup: 1})
    assert kit.level(cup) == (7, 5)
    assert kit.count(StockHold) == 3
    lines = {line.variant_id: line.id for line in kit.lines(order)}
    kit.run(lambda s: service.fulfil_units(s, order_id=order, lines=[SoldLine(lines[cup], cup, 1)], now=kit.now))
    assert (kit.level(cup), kit.level(card)) == ((6, 4), (5, 2))
    with pytest.raises(Conflict):
        kit.run(lambda s: service.release_units(s, order_id=order, units={cup: 1}, now=kit.now))
    kit.run(lambda s: service.release_units(s, order_id=order, units={box: 1}, now=kit.now))
    assert (kit.level(cup), kit.level(card)) == ((6, 2), (5, 1))
    kit.run(lambda s: service.fulfil_units(s, order_id=order, lines=[SoldLine(lines[box], box, 1)], now=kit.now))
    assert (kit.level(cup), kit.level(card)) == ((4, 0), (4, 0))
    kit.assert_sound()


def test_a_cart_that_needs_too_much_of_a_part_is_refused_by_name(kit: TradeKit, hamper: tuple[int, int, int]) -> None:
    """Three hampers could be had, and seven cups could; not both."""
    box, cup, card = hamper
    basket = kit.basket({box: 3, cup: 2})
    with pytest.raises(OutOfStock) as refused:
        kit.checkout(basket)
    assert {short["sku"] for short in refused.value.extra["shortages"]} == {"CUP", "HAMPER"}
    assert kit.level(cup) == (7, 0)
    assert kit.level(card) == (5, 0)
    with pytest.raises(OutOfStock) as refused:
        kit.checkout(kit.basket({box: 4}))
    assert refused.value.extra["shortages"] == [{"variant_id": box, "sku": "HAMPER", "wanted": 4, "left": 3}]


def test_what_comes_back_is_its_parts(kit: TradeKit, hamper: tuple[int, int, int]) -> None:
    box, cup, card = hamper
    order = kit.buy({box: 2})
    kit.ship(order)
    line = kit.lines(order)[0].id
    kit.run(lambda s: service.restock(s, variant_id=box, quantity=1, now=kit.now))
    kit.run(lambda s: service.take_back(s, lines=[SoldLine(line, box, 1)], now=kit.now))
    assert (kit.level(cup), kit.level(card)) == ((7, 0), (5, 0))
    with kit.database.read() as session:
        back = service.movements(session, kind=MovementKind.CANCELLATION)
    assert {(movement.variant_id, movement.quantity, movement.order_line_id) for movement in back} == {
        (cup, 2, line),
        (card, 1, line),
    }
    kit.assert_sound()


def test_a_part_without_limit_is_none(kit: TradeKit) -> None:
    cup, print_ = kit.variant("CUP", stock=3), kit.variant("PRINT", policy=InventoryPolicy.UNTRACKED)
    one, two = kit.variant("ONE"), kit.variant("TWO")
    make_bundle(kit, one, {cup: 1, print_: 1})
    make_bundle(kit, two, {print_: 1})
    assert saleable(kit, one, two) == [3, None]


def test_a_bundle_whose_parts_nobody_named_cannot_be_had(kit: TradeKit) -> None:
    empty = kit.variant("EMPTY", policy=InventoryPolicy.BUNDLE)
    assert saleable(kit, empty) == [0]
    with pytest.raises(OutOfStock):
        kit.buy({empty: 1})


def test_the_list_is_fixed_once_it_was_ordered(kit: TradeKit, hamper: tuple[int, int, int]) -> None:
    box, cup, card = hamper
    make_bundle(kit, box, {cup: 1, card: 1})
    order = kit.buy({box: 1})
    kit.run(lambda s: service.release_holds(s, order, state=service.HoldState.RELEASED, now=kit.now))
    make_bundle(kit, box, {card: 1, cup: 1})  # says the same
    with pytest.raises(Conflict, match="was ordered"):
        make_bundle(kit, box, {cup: 2, card: 1})
    with kit.database.read() as session:
        assert service.bundle(session, box) == {cup: 1, card: 1}


def test_lists_without_sense_are_refused_and_leave_nothing(kit: TradeKit, hamper: tuple[int, int, int]) -> None:
    box, cup, card = hamper
    new, full = kit.variant("NEW"), kit.variant("FULL", stock=1)
    for components, why in (
        ({}, "at least one part"),
        ({new: 1}, "part of itself"),
        ({cup: 0}, "at least one unit"),
        ({box: 1}, "is a bundle itself"),
    ):
        with pytest.raises(InvalidInput, match=why):
            make_bundle(kit, new, components)
    with pytest.raises(NotFound, match="variant 999"):
        make_bundle(kit, new, {999: 1})
    with pytest.raises(Conflict, match="stock of its own"):
        make_bundle(kit, full, {cup: 1})
    with pytest.raises(Conflict, match="part of a bundle"):
        make_bundle(kit, _emptied(kit, card), {new: 1})
    assert kit.count(BundleComponent, BundleComponent.bundle_variant_id != box) == 0
    with kit.database.read() as session, pytest.raises(NotFound, match="no bundle"):
        service.bundle(session, new)


def _emptied(kit: TradeKit, variant: int) -> int:
    kit.run(
        lambda s: service.count(
            s, variant_id=variant, location_id=service.default_location(s).id, counted=0, reason="x", now=kit.now
        )
    )
    return variant


def test_a_bundle_has_no_shelf(kit: TradeKit, hamper: tuple[int, int, int]) -> None:
    box, _cup, _card = hamper
    place = kit.run(lambda s: service.default_location(s).id)
    for step in (
        lambda s: service.receive(s, variant_id=box, location_id=place, quantity=1, reason="x", now=kit.now),
        lambda s: service.adjust(s, variant_id=box, location_id=place, quantity=1, reason="x", now=kit.now),
        lambda s: service.set_rules(s, variant_id=box, location_id=place, now=kit.now, low_stock_level=1),
    ):
        with pytest.raises(InvalidInput, match="is a bundle"):
            kit.run(step)
    assert kit.count(StockLevel, StockLevel.variant_id == box) == 0
