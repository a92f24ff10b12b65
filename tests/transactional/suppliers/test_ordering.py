"""Procurement orders: what they may become, and what a draft may hold."""

from datetime import timedelta
from typing import Any

import pytest

from tests.transactional.suppliers.conftest import Buyer
from transactional.core import outbox
from transactional.core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from transactional.core.models import OutboxMessage
from transactional.suppliers import service
from transactional.suppliers.models import PurchaseOrder, PurchaseOrderLine
from transactional.suppliers.service import Arrived, PurchaseStatus


def test_placing_fixes_price_tolerance_and_the_day(buyer: Buyer) -> None:
    cup, lamp = buyer.kit.variant("CUP"), buyer.kit.variant("LAMP")
    supplier = buyer.supplier(over_delivery_bp=1_000)
    quick, slow = buyer.article(supplier, cup), buyer.article(supplier, lamp, "CT-2", lead_time_days=21)
    order = buyer.draft(supplier, {quick: 25, slow: 5})
    assert [line.unit_cost_minor for line in buyer.lines(order)] == [None, None], "a draft follows the price"
    buyer.place(order)
    buyer.run(lambda s: service.update_product(s, supplier_product_id=quick, cost_minor=99_999).id)
    assert [(line.unit_cost_minor, line.tolerance) for line in buyer.lines(order)] == [(10_000, 2), (10_000, 0)]
    placed = buyer.order(order)
    assert (placed.status, placed.placed_at) == (PurchaseStatus.PLACED, buyer.kit.now)
    assert placed.expected_at == buyer.kit.now + timedelta(days=21)


def test_numbers_follow_each_other(buyer: Buyer) -> None:
    supplier = buyer.supplier()
    orders = [buyer.order(buyer.draft(supplier, {})) for _ in range(2)]
    assert [order.purchase_number for order in orders] == ["PO-000001", "PO-000002"]


@pytest.mark.parametrize(("quantity", "ok"), [(24, True), (36, True), (12, False), (25, False), (48, True)])
def test_only_whole_packs_from_the_minimum_on(buyer: Buyer, quantity: int, ok: bool) -> None:
    supplier = buyer.supplier()
    article = buyer.article(supplier, buyer.kit.variant("CUP"), pack_size=12, minimum_quantity=24)
    if ok:
        buyer.draft(supplier, {article: quantity})
        return
    with pytest.raises(InvalidInput, match="packs of 12, at least 24"):
        buyer.draft(supplier, {article: quantity})
    assert buyer.kit.count(PurchaseOrder) == 0


def test_a_draft_takes_only_what_its_supplier_sells_in_its_currency(buyer: Buyer) -> None:
    cup = buyer.kit.variant("CUP")
    toys, other = buyer.supplier(), buyer.supplier("OTHER")
    foreign, dear = buyer.article(other, cup), buyer.article(toys, cup, "CT-2", currency="USD")
    gone = buyer.article(toys, cup, "CT-3", is_active=False)
    for article, why in ((foreign, "another supplier"), (dear, "costs USD"), (gone, "no longer bought")):
        with pytest.raises(InvalidInput, match=why):
            buyer.draft(toys, {article: 1})
    with pytest.raises(NotFound):
        buyer.draft(toys, {999: 1})
    assert buyer.kit.count(PurchaseOrderLine) == 0


def test_setting_a_line_replaces_it_and_removing_takes_it_off(buyer: Buyer) -> None:
    supplier = buyer.supplier()
    article = buyer.article(supplier, buyer.kit.variant("CUP"))
    order = buyer.draft(supplier, {article: 5})
    buyer.run(
        lambda s: (
            service.set_line(s, purchase_order_id=order, supplier_product_id=article, quantity=9, now=buyer.kit.now).id
        )
    )
    assert [line.quantity for line in buyer.lines(order)] == [9]
    buyer.run(lambda s: service.remove_line(s, purchase_order_id=order, supplier_product_id=article))
    assert buyer.lines(order) == []
    with pytest.raises(NotFound, match="not on this order"):
        buyer.run(lambda s: service.remove_line(s, purchase_order_id=order, supplier_product_id=article))


def test_an_empty_order_or_one_whose_currency_changed_is_not_placed(buyer: Buyer) -> None:
    supplier = buyer.supplier()
    article = buyer.article(supplier, buyer.kit.variant("CUP"))
    with pytest.raises(InvalidInput, match="without lines"):
        buyer.place(buyer.draft(supplier, {}))
    order = buyer.draft(supplier, {article: 5})
    buyer.run(lambda s: service.update_product(s, supplier_product_id=article, currency="USD").id)
    with pytest.raises(Conflict, match="costs USD now"):
        buyer.place(order)
    assert buyer.order(order).status is PurchaseStatus.DRAFT


def test_an_inactive_supplier_gets_no_order(buyer: Buyer) -> None:
    supplier = buyer.supplier(is_active=False)
    with pytest.raises(Conflict, match="not active"):
        buyer.draft(supplier, {})


class TestTransitions:
    def bring_to(self, buyer: Buyer, status: PurchaseStatus) -> int:
        """An order of ten cups that stands at `status`."""
        supplier = buyer.supplier()
        order = buyer.draft(supplier, {buyer.article(supplier, buyer.kit.variant("CUP")): 10})
        if status is PurchaseStatus.CANCELLED:
            self.step(buyer, order, "cancel")
        if status in (PurchaseStatus.DRAFT, PurchaseStatus.CANCELLED):
            return order
        buyer.place(order)
        line = buyer.lines(order)[0].id
        if status in (PurchaseStatus.RECEIVED, PurchaseStatus.CLOSED):
            buyer.receive(order, Arrived(line, 10))
        if status is PurchaseStatus.PARTIALLY_RECEIVED:
            buyer.receive(order, Arrived(line, 4))
        if status is PurchaseStatus.CLOSED:
            self.step(buyer, order, "close")
        return order

    def step(self, buyer: Buyer, order: int, step: str) -> None:
        more: dict[str, Any] = {} if step == "place" else {"reason": "because"}
        buyer.run(lambda s: getattr(service, step)(s, purchase_order_id=order, now=buyer.kit.now, **more).id)

    @pytest.mark.parametrize("status", list(PurchaseStatus))
    @pytest.mark.parametrize(
        ("step", "to"),
        [
            ("place", PurchaseStatus.PLACED),
            ("cancel", PurchaseStatus.CANCELLED),
            ("close", PurchaseStatus.CLOSED),
        ],
    )
    def test_only_steps_of_the_table_happen(
        self, buyer: Buyer, status: PurchaseStatus, step: str, to: PurchaseStatus
    ) -> None:
        order = self.bring_to(buyer, status)
        assert buyer.order(order).status is status
        if to in service.TRANSITIONS[status]:
            self.step(buyer, order, step)
            assert buyer.order(order).status is to
            return
        with pytest.raises(IllegalTransition, match=status):
            self.step(buyer, order, step)
        assert buyer.order(order).status is status

    def test_a_placed_order_is_not_edited(self, buyer: Buyer) -> None:
        order = self.bring_to(buyer, PurchaseStatus.PLACED)
        article = buyer.lines(order)[0].supplier_product_id
        with pytest.raises(IllegalTransition, match="only a draft"):
            buyer.run(
                lambda s: (
                    service.set_line(
                        s, purchase_order_id=order, supplier_product_id=article, quantity=1, now=buyer.kit.now
                    ).id
                )
            )
        with pytest.raises(IllegalTransition, match="only a draft"):
            buyer.run(lambda s: service.remove_line(s, purchase_order_id=order, supplier_product_id=article))

    def test_closing_writes_the_rest_off(self, buyer: Buyer) -> None:
        order = self.bring_to(buyer, PurchaseStatus.PARTIALLY_RECEIVED)
        self.step(buyer, order, "close")
        line = buyer.lines(order)[0]
        assert (line.received_quantity, line.short_quantity) == (4, 6)
        with pytest.raises(IllegalTransition, match="no delivery is expected"):
            buyer.receive(order, Arrived(line.id, 1), key="late")

    def test_an_unknown_order_is_not_found(self, buyer: Buyer) -> None:
        for step in ("place", "cancel", "close"):
            with pytest.raises(NotFound):
                self.step(buyer, 77, step)


def test_a_placed_order_is_mailed_once(buyer: Buyer) -> None:
    import transactional.suppliers.events  # noqa: F401  registers the handler

    supplier = buyer.supplier(email="orders@toys.example")
    buyer.placed(supplier, {buyer.article(supplier, buyer.kit.variant("CUP"), "खि-1"): 5})
    with buyer.kit.database.read() as session:
        message = session.query(OutboxMessage).filter_by(topic=service.ORDER_PLACED).one()
    handler = outbox._handlers[service.ORDER_PLACED]
    for _ in range(2):
        handler(buyer.kit.database, message.payload)
    with buyer.kit.database.read() as session:
        mails = session.query(OutboxMessage).filter_by(topic="mail.send").all()
    assert [(mail.payload["to"], "5 x खि-1" in mail.payload["body"]) for mail in mails] == [
        ("orders@toys.example", True)
    ]
