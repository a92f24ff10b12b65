"""What is needed by when, and what brings it."""

from datetime import date

import pytest

from tests.transactional.suppliers.conftest import Buyer
from transactional.catalog.service import InventoryPolicy
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.orders import service as orders
from transactional.suppliers import jobs, service
from transactional.suppliers.models import StockRequirement
from transactional.suppliers.service import Arrived, RequirementSource, RequirementState


def requirements(buyer: Buyer) -> list[StockRequirement]:
    """All of them, oldest first."""
    return buyer.ask(lambda s: list(reversed(service.requirements(s, unmet_only=False))))


def require(buyer: Buyer, variant: int, quantity: int, day: date = date(2026, 2, 1)) -> int:
    """Somebody needs something; gives the id."""
    place = buyer.place_id()
    return buyer.run(
        lambda s: (
            service.require(
                s,
                variant_id=variant,
                location_id=place,
                quantity=quantity,
                needed_by=day,
                note="a wedding",
                now=buyer.kit.now,
            ).id
        )
    )


@pytest.mark.slow
def test_orders_that_wait_for_goods_are_named_and_settled(buyer: Buyer) -> None:
    lamp = buyer.kit.variant("LAMP", stock=2, policy=InventoryPolicy.BACKORDER)
    buyer.kit.buy({lamp: 1})
    second, third = buyer.kit.buy({lamp: 3}), buyer.kit.buy({lamp: 2})
    buyer.kit.buy({lamp: 1}, pay=False)
    jobs.reorder(buyer.kit.database)
    found = [(row.order_id, row.quantity, row.state) for row in requirements(buyer)]
    assert found == [(second, 2, RequirementState.OPEN), (third, 2, RequirementState.OPEN)], "the youngest wait"
    jobs.reorder(buyer.kit.database)
    assert len(requirements(buyer)) == 2, "repeating the job changes nothing"

    supplier = buyer.supplier()
    order = buyer.placed(supplier, {buyer.article(supplier, lamp): 3})
    jobs.reorder(buyer.kit.database)
    line = buyer.lines(order)[0].id
    assert [(row.state, row.purchase_order_line_id) for row in requirements(buyer)] == [
        (RequirementState.COVERED, line),
        (RequirementState.OPEN, None),
    ], "three units cover the first two only"

    buyer.receive(order, Arrived(line, 3))
    buyer.run(lambda s: orders.cancel(s, order_id=third, actor="test", reason="no more", now=buyer.kit.now).id)
    jobs.reorder(buyer.kit.database)
    assert [row.state for row in requirements(buyer)] == [RequirementState.MET, RequirementState.CANCELLED]


def test_unlimited_goods_are_not_waited_for(buyer: Buyer) -> None:
    voucher = buyer.kit.variant("VOUCHER", policy=InventoryPolicy.UNTRACKED)
    buyer.kit.buy({voucher: 5})
    jobs.reorder(buyer.kit.database)
    assert requirements(buyer) == []


def test_the_most_urgent_requirement_is_covered_first(buyer: Buyer) -> None:
    cup = buyer.kit.variant("CUP")
    later, sooner = require(buyer, cup, 4, date(2026, 3, 1)), require(buyer, cup, 4, date(2026, 2, 1))
    supplier = buyer.supplier()
    buyer.placed(supplier, {buyer.article(supplier, cup): 5})
    assert buyer.run(service.cover_open) == 1
    states = {row.id: row.state for row in requirements(buyer)}
    assert states == {sooner: RequirementState.COVERED, later: RequirementState.OPEN}
    assert buyer.run(service.cover_open) == 0


def test_what_will_not_come_is_open_again(buyer: Buyer) -> None:
    cup = buyer.kit.variant("CUP")
    require(buyer, cup, 4)
    supplier = buyer.supplier()
    article = buyer.article(supplier, cup)
    cancelled = buyer.placed(supplier, {article: 5})
    buyer.run(service.cover_open)
    buyer.run(lambda s: service.cancel(s, purchase_order_id=cancelled, reason="dear", now=buyer.kit.now).id)
    assert [(row.state, row.purchase_order_line_id) for row in requirements(buyer)] == [(RequirementState.OPEN, None)]

    short = buyer.placed(supplier, {article: 5})
    buyer.run(service.cover_open)
    buyer.receive(short, Arrived(buyer.lines(short)[0].id, 1))
    buyer.run(lambda s: service.close(s, purchase_order_id=short, reason="sold out", now=buyer.kit.now).id)
    assert [row.state for row in requirements(buyer)] == [RequirementState.OPEN]

    draft = buyer.draft(supplier, {article: 5})
    buyer.run(service.cover_open)
    buyer.run(lambda s: service.remove_line(s, purchase_order_id=draft, supplier_product_id=article))
    assert [row.state for row in requirements(buyer)] == [RequirementState.OPEN]


def test_a_requirement_is_cancelled_once_and_stays_so(buyer: Buyer) -> None:
    lamp = buyer.kit.variant("LAMP", policy=InventoryPolicy.BACKORDER)
    buyer.kit.buy({lamp: 3})
    jobs.reorder(buyer.kit.database)
    [row] = requirements(buyer)
    buyer.run(lambda s: service.cancel_requirement(s, requirement_id=row.id, now=buyer.kit.now).id)
    with pytest.raises(Conflict, match="closed already"):
        buyer.run(lambda s: service.cancel_requirement(s, requirement_id=row.id, now=buyer.kit.now).id)
    jobs.reorder(buyer.kit.database)
    assert [(row.source, row.state) for row in requirements(buyer)] == [
        (RequirementSource.ORDER, RequirementState.CANCELLED)
    ]


def test_what_makes_no_sense_is_refused(buyer: Buyer) -> None:
    cup = buyer.kit.variant("CUP")
    with pytest.raises(InvalidInput, match="at least 1"):
        require(buyer, cup, 0)
    with pytest.raises(NotFound, match="variant 999"):
        require(buyer, 999, 1)
    with pytest.raises(NotFound, match="requirement 9"):
        buyer.run(lambda s: service.cancel_requirement(s, requirement_id=9, now=buyer.kit.now).id)
