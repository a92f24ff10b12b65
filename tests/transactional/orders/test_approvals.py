"""Custom gifts are paid for only after the customer has agreed to exactly what will be made."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.trade import TradeKit
from transactional.cart import service as carts
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, IllegalTransition, NotFound
from transactional.orders import jobs, service
from transactional.orders.models import OrderApproval
from transactional.orders.service import ContentChanged, OrderStatus, PaidOutcome
from transactional.orders.verification import verify_order

ENGRAVING = {"engraving": "मेरी माँ के लिए", "needs_approval": True}


def custom_order(kit: TradeKit, *, price: int = 50_000, **more: Any) -> int:
    """An order of an engraved cup."""
    cup = kit.variant(f"CUP-{price}", price=price, stock=9, customisable=True)
    basket = kit.basket({})
    kit.run(
        lambda s: (
            carts.add_line(
                s,
                cart=carts.get_cart(s, public_id=basket, customer_id=None),
                variant_id=cup,
                quantity=1,
                now=kit.now,
                customisation=ENGRAVING,
            )
            and None
        )
    )
    return kit.checkout(basket, **more)


def content(kit: TradeKit, order_id: int) -> str:
    """What the customer is shown."""
    with kit.database.read() as session:
        return service.content_sha256(service.lines_of(session, order_id))


def approve(kit: TradeKit, order_id: int, sha256: str | None = None) -> OrderApproval:
    """The customer agrees."""
    shown = sha256 or content(kit, order_id)
    return kit.run(lambda s: service.approve(s, order_id=order_id, content_sha256=shown, actor="user:1", now=kit.now))


def void(kit: TradeKit, order_id: int) -> None:
    """Staff change the design."""
    kit.run(lambda s: service.void(s, order_id=order_id, actor="user:2", reason="too long", now=kit.now).id)


def alive(kit: TradeKit, order_id: int) -> bool:
    """Whether the order may be paid."""
    with kit.database.read() as session:
        return service.live_approval(session, order_id, kit.now) is not None


def test_a_custom_order_is_paid_only_after_it_was_approved(kit: TradeKit) -> None:
    order_id = custom_order(kit)
    assert kit.order(order_id).status is OrderStatus.AWAITING_APPROVAL
    assert kit.pay(order_id) is PaidOutcome.REFUND_DUE
    assert kit.order(order_id).status is OrderStatus.AWAITING_APPROVAL, "money that came too early goes back"
    approval = approve(kit, order_id)
    order = kit.order(order_id)
    assert (order.status, order.expires_at) == (OrderStatus.AWAITING_PAYMENT, approval.expires_at)
    assert (approval.amount_minor, alive(kit, order_id)) == (order.total_minor, True)
    assert kit.pay(order_id) is PaidOutcome.CONFIRMED
    with kit.database.read() as session:
        assert verify_order(session, order_id) == []


def test_orders_off_the_shelf_need_no_approval(kit: TradeKit) -> None:
    order_id = kit.buy({kit.variant("CUP", stock=1): 1}, pay=False)
    with kit.database.read() as session:
        assert not service.order_needs_approval(session, order_id)
        assert service.live_approval(session, order_id, kit.now) is None
    with pytest.raises(IllegalTransition):
        approve(kit, order_id)
    with pytest.raises(Conflict, match="no approval"):
        void(kit, order_id)
    with pytest.raises(NotFound):
        approve(kit, 404, "0" * 64)


def test_agreeing_twice_is_agreeing_once(kit: TradeKit) -> None:
    order_id = custom_order(kit)
    first = approve(kit, order_id)
    assert approve(kit, order_id).id == first.id
    assert kit.count(OrderApproval) == 1
    with pytest.raises(IllegalTransition):
        approve(kit, order_id, "0" * 64)


def test_another_content_than_the_one_shown_is_refused(kit: TradeKit) -> None:
    order_id = custom_order(kit)
    with pytest.raises(ContentChanged) as refused:
        approve(kit, order_id, "0" * 64)
    assert refused.value.extra["content_sha256"] == content(kit, order_id)
    assert kit.count(OrderApproval) == 0


def test_a_voided_approval_takes_the_order_back(kit: TradeKit) -> None:
    order_id = custom_order(kit)
    approve(kit, order_id)
    void(kit, order_id)
    assert (kit.order(order_id).status, alive(kit, order_id)) == (OrderStatus.AWAITING_APPROVAL, False)
    with pytest.raises(Conflict):
        void(kit, order_id)
    approve(kit, order_id)
    assert kit.count(OrderApproval) == 2
    assert alive(kit, order_id)


def test_an_approval_lives_exactly_as_long_as_the_time_to_pay(kit: TradeKit, clock: ManualClock) -> None:
    order_id = custom_order(kit)
    approval = approve(kit, order_id)
    clock.advance(approval.expires_at - kit.now - timedelta(seconds=1))
    assert alive(kit, order_id)
    assert jobs.expire_unpaid_orders(kit.database) == 0
    clock.advance(timedelta(seconds=1))
    assert not alive(kit, order_id)
    assert jobs.expire_unpaid_orders(kit.database) == 1
    assert kit.order(order_id).status is OrderStatus.EXPIRED
    assert kit.count(OrderApproval, OrderApproval.voided_at.is_not(None)) == 1
    kit.assert_sound()


def test_a_design_that_nobody_approves_is_given_up_with_its_goods(kit: TradeKit, clock: ManualClock) -> None:
    order_id = custom_order(kit)
    variant = kit.lines(order_id)[0].variant_id
    clock.advance(timedelta(days=7) - timedelta(seconds=1))
    assert jobs.expire_unpaid_orders(kit.database) == 0
    assert kit.level(variant) == (9, 1)
    clock.advance(timedelta(seconds=1))
    assert jobs.expire_unpaid_orders(kit.database) == 1
    assert (kit.order(order_id).status, kit.level(variant)) == (OrderStatus.EXPIRED, (9, 0))


def test_paid_at_the_door_an_approval_sets_no_time(kit: TradeKit) -> None:
    order_id = custom_order(kit, payment_mode="on_delivery")
    approve(kit, order_id)
    assert (kit.order(order_id).status, kit.order(order_id).expires_at) == (OrderStatus.AWAITING_PAYMENT, None)
    kit.deliver(order_id)


def test_a_free_custom_order_is_confirmed_by_its_approval(kit: TradeKit) -> None:
    order_id = custom_order(kit, price=0)
    kit.run(lambda s: s.execute(text("UPDATE orders SET shipping_minor = 0, total_minor = 0")) and None)
    assert kit.pay(order_id) is PaidOutcome.AWAITS_APPROVAL
    approve(kit, order_id)
    assert kit.order(order_id).status is OrderStatus.PAID
