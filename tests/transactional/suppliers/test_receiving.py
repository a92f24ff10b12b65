"""Deliveries: on the shelf once, never more than was ordered, one movement a line."""

import pytest

from tests.transactional.suppliers.conftest import Buyer
from transactional.core.errors import Conflict, IdempotencyMismatch, IllegalTransition, InvalidInput, NotFound
from transactional.inventory.service import MovementKind
from transactional.suppliers import service
from transactional.suppliers.models import PurchaseReceipt, PurchaseReceiptLine
from transactional.suppliers.service import Arrived, PurchaseStatus


@pytest.fixture
def cups(buyer: Buyer) -> tuple[int, int, int]:
    """(variant, order, line) of twenty cups that are on order, with a tolerance of one."""
    variant = buyer.kit.variant("CUP")
    supplier = buyer.supplier(over_delivery_bp=500)
    order = buyer.placed(supplier, {buyer.article(supplier, variant): 20})
    return variant, order, buyer.lines(order)[0].id


def test_a_delivery_is_one_movement_a_line_and_moves_the_order(buyer: Buyer, cups: tuple[int, int, int]) -> None:
    variant, order, line = cups
    receipt = buyer.receive(order, Arrived(line, 12), delivery_note="DN 4711")
    assert buyer.order(order).status is PurchaseStatus.PARTIALLY_RECEIVED
    [movement] = buyer.movements(variant)
    assert (movement.kind, movement.quantity, movement.reason) == (MovementKind.RECEIPT, 12, "PO-000001 DN 4711")
    with buyer.kit.database.read() as session:
        [(found, [booked])] = service.receipts_of(session, order)
    assert (found.id, booked.id) == (receipt, movement.purchase_receipt_line_id)
    buyer.days_pass(3)
    buyer.receive(order, Arrived(line, 8), key="dn-2")
    done = buyer.order(order)
    assert (done.status, done.received_at) == (PurchaseStatus.RECEIVED, buyer.kit.now)
    assert buyer.kit.level(variant) == (20, 0)
    buyer.kit.assert_sound()


def test_damaged_and_short_units_are_counted_but_do_not_lie_on_the_shelf(
    buyer: Buyer, cups: tuple[int, int, int]
) -> None:
    variant, order, line = cups
    buyer.receive(order, Arrived(line, 15, damaged=2, short=3))
    assert buyer.kit.level(variant) == (15, 0)
    booked = buyer.lines(order)[0]
    assert (booked.received_quantity, booked.damaged_quantity, booked.short_quantity) == (15, 2, 3)
    assert buyer.order(order).status is PurchaseStatus.RECEIVED, "nothing is outstanding"


def test_a_delivery_of_broken_goods_alone_moves_nothing(buyer: Buyer, cups: tuple[int, int, int]) -> None:
    variant, order, line = cups
    buyer.receive(order, Arrived(line, 0, damaged=4))
    assert buyer.movements(variant) == []
    assert buyer.order(order).status is PurchaseStatus.PARTIALLY_RECEIVED


def test_more_than_ordered_and_its_tolerance_is_refused_whole(buyer: Buyer, cups: tuple[int, int, int]) -> None:
    variant, order, line = cups
    with pytest.raises(Conflict, match=r"20 units were ordered \(tolerance 1\), 0 have come"):
        buyer.receive(order, Arrived(line, 22))
    assert buyer.kit.count(PurchaseReceipt) == buyer.kit.count(PurchaseReceiptLine) == 0
    buyer.receive(order, Arrived(line, 20))
    buyer.receive(order, Arrived(line, 1), key="the free one")
    with pytest.raises(Conflict):
        buyer.receive(order, Arrived(line, 1), key="one too many")
    assert buyer.kit.level(variant) == (21, 0)
    buyer.kit.assert_sound()


def test_damaged_units_count_against_the_order(buyer: Buyer, cups: tuple[int, int, int]) -> None:
    _variant, order, line = cups
    buyer.receive(order, Arrived(line, 10, damaged=10))
    with pytest.raises(Conflict):
        buyer.receive(order, Arrived(line, 2), key="dn-2")


def test_no_more_is_written_off_than_is_outstanding(buyer: Buyer, cups: tuple[int, int, int]) -> None:
    _variant, order, line = cups
    with pytest.raises(Conflict):
        buyer.receive(order, Arrived(line, 15, short=6))
    buyer.receive(order, Arrived(line, 15, short=5))


def test_the_same_delivery_reported_twice_is_one(buyer: Buyer, cups: tuple[int, int, int]) -> None:
    variant, order, line = cups
    assert buyer.receive(order, Arrived(line, 12)) == buyer.receive(order, Arrived(line, 12))
    assert buyer.kit.level(variant) == (12, 0)
    assert len(buyer.movements(variant)) == 1
    with pytest.raises(IdempotencyMismatch, match="another delivery"):
        buyer.receive(order, Arrived(line, 11))


def test_a_retry_after_the_order_was_closed_gives_the_receipt_again(buyer: Buyer, cups: tuple[int, int, int]) -> None:
    _variant, order, line = cups
    receipt = buyer.receive(order, Arrived(line, 12))
    buyer.run(lambda s: service.close(s, purchase_order_id=order, reason="sold out", now=buyer.kit.now).id)
    assert buyer.receive(order, Arrived(line, 12)) == receipt


def test_a_fault_in_the_second_line_leaves_nothing_of_the_first(buyer: Buyer) -> None:
    supplier = buyer.supplier()
    cup, lamp = buyer.kit.variant("CUP"), buyer.kit.variant("LAMP")
    order = buyer.placed(supplier, {buyer.article(supplier, cup): 5, buyer.article(supplier, lamp, "CT-2"): 5})
    first, second = (line.id for line in buyer.lines(order))
    with pytest.raises(Conflict):
        buyer.receive(order, Arrived(first, 5), Arrived(second, 6))
    assert buyer.kit.level(cup) == (0, 0)
    assert buyer.lines(order)[0].received_quantity == 0
    buyer.receive(order, Arrived(second, 5), Arrived(first, 5))
    assert buyer.order(order).status is PurchaseStatus.RECEIVED


def test_a_draft_expects_nothing(buyer: Buyer) -> None:
    supplier = buyer.supplier()
    order = buyer.draft(supplier, {buyer.article(supplier, buyer.kit.variant("CUP")): 5})
    with pytest.raises(IllegalTransition, match="draft"):
        buyer.receive(order, Arrived(buyer.lines(order)[0].id, 1))


def test_what_makes_no_sense_is_refused(buyer: Buyer, cups: tuple[int, int, int]) -> None:
    _variant, order, line = cups
    with pytest.raises(InvalidInput, match="at least one line"):
        buyer.receive(order)
    with pytest.raises(InvalidInput, match="names a line once"):
        buyer.receive(order, Arrived(line, 1), Arrived(line, 2))
    for nothing in (Arrived(line, 0), Arrived(line, -1, damaged=2)):
        with pytest.raises(InvalidInput, match="how many came"):
            buyer.receive(order, nothing)
    with pytest.raises(NotFound, match="no line 999"):
        buyer.receive(order, Arrived(999, 1))
    with pytest.raises(NotFound, match="location 77"):
        buyer.receive(order, Arrived(line, 1), location_id=77)
    with pytest.raises(NotFound, match="procurement order 55"):
        buyer.receive(55, Arrived(line, 1))
