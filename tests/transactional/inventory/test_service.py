"""Stock levels, holds and their ledger."""

import pytest
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from transactional.catalog.service import InventoryPolicy
from transactional.core.errors import Conflict, InvalidInput, NotFound, OutOfStock
from transactional.inventory import service
from transactional.inventory.models import StockHold, StockLevel, StockMovement
from transactional.inventory.service import HoldState, MovementKind


def place(kit: TradeKit, variant_id: int, quantity: int) -> int:
    """An unpaid order; gives its id."""
    return kit.buy({variant_id: quantity}, pay=False)


def test_a_receipt_raises_the_level_by_its_movement(kit: TradeKit) -> None:
    variant = kit.variant("CUP", stock=7)
    assert kit.level(variant) == (7, 0)
    kit.assert_sound()


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_receipt_of_nothing_is_refused(kit: TradeKit, quantity: int) -> None:
    variant = kit.variant("CUP")
    with pytest.raises(InvalidInput, match="at least 1"):
        kit.run(
            lambda s: service.receive(
                s,
                variant_id=variant,
                location_id=service.default_location(s).id,
                quantity=quantity,
                reason="x",
                now=kit.now,
            )
        )


def test_an_unknown_variant_or_location_is_refused_and_leaves_nothing(kit: TradeKit) -> None:
    variant = kit.variant("CUP")

    def receive(variant_id: int, location_id: int) -> None:
        kit.run(
            lambda s: service.receive(
                s, variant_id=variant_id, location_id=location_id, quantity=1, reason="x", now=kit.now
            )
        )

    with pytest.raises(NotFound, match="variant 999"):
        receive(999, 1)
    with pytest.raises(NotFound, match="location 77"):
        receive(variant, 77)
    assert kit.count(StockMovement) == kit.count(StockLevel) == 0


def test_an_adjustment_needs_a_reason_and_cannot_take_promised_units(kit: TradeKit) -> None:
    variant = kit.variant("CUP", stock=5)
    place(kit, variant, 3)

    def adjust(quantity: int, reason: str = "broken") -> None:
        kit.run(
            lambda s: service.adjust(
                s,
                variant_id=variant,
                location_id=service.default_location(s).id,
                quantity=quantity,
                reason=reason,
                now=kit.now,
            )
        )

    with pytest.raises(InvalidInput, match="reason"):
        adjust(-1, "  ")
    with pytest.raises(InvalidInput, match="at least one unit"):
        adjust(0)
    with pytest.raises(Conflict, match="promised"):
        adjust(-3)
    adjust(-2)
    adjust(4)
    assert kit.level(variant) == (7, 3)
    kit.assert_sound()


def test_a_hold_names_every_sku_that_is_short_and_how_many_are_left(kit: TradeKit) -> None:
    cup, lamp, card = kit.variant("CUP", stock=2), kit.variant("LAMP", stock=1), kit.variant("CARD", stock=9)
    basket = kit.basket({cup: 3, lamp: 1, card: 10})
    with pytest.raises(OutOfStock) as refused:
        kit.checkout(basket)
    shortages = {short["sku"]: (short["wanted"], short["left"]) for short in refused.value.extra["shortages"]}
    assert shortages == {"CUP": (3, 2), "CARD": (10, 9)}
    assert kit.level(cup) == (2, 0)
    assert kit.level(lamp) == (1, 0), "nothing stays promised after a refusal"
    assert kit.count(StockHold) == 0


def test_the_demand_of_two_lines_with_one_sku_is_summed(kit: TradeKit) -> None:
    from transactional.cart import service as carts

    variant = kit.variant("MUG", stock=3, customisable=True)
    basket = kit.basket({variant: 2})

    def second_line(session: Session) -> None:
        cart = carts.get_cart(session, public_id=basket)
        carts.add_line(session, cart=cart, variant_id=variant, quantity=2, customisation={"text": "Mā"}, now=kit.now)

    kit.run(second_line)
    with pytest.raises(OutOfStock):
        kit.checkout(basket)
    assert kit.level(variant) == (3, 0)


def test_release_frees_exactly_once(kit: TradeKit) -> None:
    variant = kit.variant("CUP", stock=5)
    order = place(kit, variant, 4)
    assert kit.level(variant) == (5, 4)
    assert kit.run(lambda s: service.release_holds(s, order, state=HoldState.RELEASED, now=kit.now)) == 1
    assert kit.run(lambda s: service.release_holds(s, order, state=HoldState.RELEASED, now=kit.now)) == 0
    assert kit.level(variant) == (5, 0)
    kit.assert_sound()


@pytest.mark.slow
def test_fulfilling_posts_the_sale_once_in_the_name_of_its_line(kit: TradeKit) -> None:
    variant = kit.variant("CUP", stock=5)
    order = kit.buy({variant: 2})
    kit.ship(order)
    assert kit.run(lambda s: service.fulfil_holds(s, order, now=kit.now)) == 0
    assert kit.level(variant) == (3, 0)
    with kit.database.read() as session:
        sale = service.movements(session, variant_id=variant)[0]
    assert (sale.kind, sale.quantity) == (MovementKind.SALE, -2)
    assert sale.order_line_id == kit.lines(order)[0].id
    kit.assert_sound()


def test_back_orders_know_no_limit_unless_the_threshold_sets_one(kit: TradeKit) -> None:
    variant = kit.variant("LAMP", stock=1, policy=InventoryPolicy.BACKORDER)
    place(kit, variant, 3)
    assert kit.level(variant) == (1, 3)

    def limit(session: Session) -> None:
        service.levels(session, variant_id=variant)[0].threshold = -4

    kit.run(limit)
    with kit.database.read() as session:
        assert service.saleable(session, [variant]) == {variant: 2}
    place(kit, variant, 2)
    with pytest.raises(OutOfStock):
        place(kit, variant, 1)
    kit.assert_sound()


def test_untracked_goods_sell_without_a_shelf_and_still_leave_their_movements(kit: TradeKit) -> None:
    variant = kit.variant("VOUCHER", policy=InventoryPolicy.UNTRACKED)
    with kit.database.read() as session:
        assert service.saleable(session, [variant]) == {variant: None}
    order = kit.buy({variant: 50})
    kit.ship(order)
    assert kit.level(variant) == (-50, 0)
    kit.assert_sound()


def test_a_level_that_is_made_late_starts_from_the_ledger(kit: TradeKit) -> None:
    """Imported histories bring movements without levels."""
    variant = kit.variant("OLD", policy=InventoryPolicy.UNTRACKED)

    def history(session: Session) -> None:
        location = service.default_location(session)
        session.add(
            StockMovement(
                variant_id=variant,
                location_id=location.id,
                kind=MovementKind.SALE,
                quantity=-12,
                reason="imported",
                occurred_at=kit.now,
            )
        )

    kit.run(history)
    place(kit, variant, 1)
    assert kit.level(variant) == (-12, 1)
    kit.assert_sound()


def test_restocking_puts_units_back_as_a_return(kit: TradeKit) -> None:
    variant = kit.variant("CUP", stock=1)
    kit.run(lambda s: service.restock(s, variant_id=variant, quantity=2, now=kit.now))
    assert kit.level(variant) == (3, 0)
    with kit.database.read() as session:
        assert service.movements(session, variant_id=variant)[0].kind is MovementKind.RETURN
    kit.assert_sound()
