"""What an order has due: approved designs, changes of paid orders, two payments, refunds over both."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests.transactional.payments.till import ADDRESS, GatewayOrder, Till
from transactional.cart import service as carts
from transactional.checkout import service as checkout
from transactional.core.errors import IdempotencyMismatch
from transactional.orders import service as orders
from transactional.orders.service import OrderStatus
from transactional.payments import service
from transactional.payments.models import PaymentStatus, RefundStatus, RequestPurpose
from transactional.payments_standin.bank import Outcome

ENGRAVED = {"needs_approval": True, "text": "अस्मिता 🎁"}


def place_custom(till: Till) -> int:
    """An order of something that is made to order."""

    def work(session: Session) -> int:
        now = till.clock.now()
        cart = carts.create_cart(session, currency="INR", now=now, customer_id=till.customer_id)
        carts.add_line(session, cart=cart, variant_id=till.variant_id, customisation=ENGRAVED, now=now)
        order = checkout.place_order(
            session,
            cart_public_id=cart.public_id,
            customer_id=till.customer_id,
            ship_to=ADDRESS,
            now=now,
            settings=till.settings,
        )
        return order.id

    return till.database.run(work, actor="test")


def approve(till: Till, order_id: int) -> str:
    """The customer agrees; gives the hash of what they agreed to."""

    def work(session: Session) -> str:
        content = orders.content_sha256(orders.lines_of(session, order_id))
        orders.approve(session, order_id=order_id, content_sha256=content, actor="customer:1", now=till.clock.now())
        return content

    return till.database.run(work, actor="test")


def request_of(till: Till, order_id: int) -> GatewayOrder:
    """The latest request for payment of an order."""
    with till.database.read() as session:
        rows = session.query(GatewayOrder).filter_by(order_id=order_id).order_by(GatewayOrder.id).all()
    return rows[-1]


# --- approval ----------------------------------------------------------------------------------------------------


def test_nothing_is_paid_before_it_is_approved(till: Till) -> None:
    order_id = place_custom(till)
    assert till.order(order_id).status is OrderStatus.AWAITING_APPROVAL
    with pytest.raises(service.NotApproved):
        till.start(order_id)
    assert till.count(GatewayOrder) == 0
    content = approve(till, order_id)
    gateway_order_id = till.start(order_id)
    request = request_of(till, order_id)
    assert request.approval_sha256 == content
    assert request.expires_at == till.order(order_id).expires_at
    notes = till.standin._books.order(gateway_order_id).notes
    assert notes == {"receipt": request.receipt, "approval_sha256": content}
    till.verify(till.standin.pay(gateway_order_id))
    assert till.order(order_id).status is OrderStatus.PAID
    till.check_books()


def test_an_expired_approval_ends_the_time_to_pay(till: Till) -> None:
    order_id = place_custom(till)
    approve(till, order_id)
    till.start(order_id)
    till.clock.advance(timedelta(days=2))
    with pytest.raises(service.NotPayable):
        till.start(order_id)


def test_money_for_a_design_that_was_replaced_goes_back(till: Till) -> None:
    order_id = place_custom(till)
    approve(till, order_id)
    first = till.start(order_id)
    paid = till.standin.pay(first, outcome=Outcome.CAPTURED)

    def redesign(session: Session) -> None:
        now = till.clock.now()
        orders.void(session, order_id=order_id, actor="maker", reason="another font", now=now)
        line = orders.lines_of(session, order_id)[0]
        line.customisation = {**line.customisation, "font": "Noto Serif Devanagari"}

    till.database.run(redesign, actor="test")
    approve(till, order_id)
    second = till.start(order_id)
    assert second != first
    till.take_in(till.standin.deliveries.listing())
    assert paid.payment_id == till.payments(order_id)[0].gateway_payment_id
    assert till.order(order_id).status is OrderStatus.AWAITING_PAYMENT
    assert [(each.status, each.reason) for each in till.refunds(order_id)] == [
        (RefundStatus.PROCESSED, "another design was approved since this payment was started")
    ]
    till.verify(till.standin.pay(second))
    assert till.order(order_id).status is OrderStatus.PAID
    assert len(till.refunds(order_id)) == 1
    till.check_books()


def test_money_that_arrives_while_the_design_is_open_goes_back(till: Till) -> None:
    order_id = place_custom(till)
    approve(till, order_id)
    gateway_order_id = till.start(order_id)
    till.database.run(
        lambda session: orders.void(session, order_id=order_id, actor="maker", reason="x", now=till.clock.now()),
        actor="test",
    )
    till.standin.pay(gateway_order_id, outcome=Outcome.CAPTURED)
    till.take_in(till.standin.deliveries.listing())
    assert till.order(order_id).status is OrderStatus.AWAITING_APPROVAL
    assert [payment.status for payment in till.payments(order_id)] == [PaymentStatus.REFUNDED]
    till.check_books()


# --- changes of paid orders -----------------------------------------------------------------------------------------


def add_units(till: Till, order_id: int, quantity: int) -> None:
    """A paid order grows; the difference has to be paid."""

    def work(session: Session) -> None:
        wanted = orders.WantedChange(add=[orders.AddedUnits(till.variant_id, quantity)])
        now = till.clock.now()
        change = orders.draft_change(
            session, order_id=order_id, wanted=wanted, actor="customer:1", reason="one more", now=now
        )
        orders.apply_change(session, change_id=change.id, actor="customer:1", now=now)

    till.database.run(work, actor="test")


def grown(till: Till) -> tuple[int, int]:
    """A paid order with a change that waits for its extra payment; gives order and difference."""
    order_id = till.buy(quantity=1)
    add_units(till, order_id, 1)
    with till.database.read() as session:
        return order_id, orders.amount_due(session, order_id)


def test_the_difference_of_a_change_is_paid_by_a_payment_of_its_own(till: Till) -> None:
    order_id, difference = grown(till)
    assert difference == 33_333
    gateway_order_id = till.start(order_id)
    request = request_of(till, order_id)
    assert (request.amount_minor, request.purpose) == (difference, RequestPurpose.EXTRA)
    assert till.start(order_id) == gateway_order_id
    till.standin.pay(gateway_order_id, outcome=Outcome.AUTHORIZED)
    till.take_in(till.standin.deliveries.listing())
    assert till.order(order_id).status is OrderStatus.PAID
    assert [payment.captured_minor for payment in till.payments(order_id)][1] == difference
    assert till.refunds(order_id) == []
    assert till.captures() == 2
    with pytest.raises(service.NotPayable):
        till.start(order_id)
    till.check_books()


def test_a_second_extra_payment_and_one_too_late_go_back(till: Till) -> None:
    order_id, difference = grown(till)
    gateway_order_id = till.start(order_id)
    first, second = till.standin.pay_twice(gateway_order_id, captured=True)
    till.verify(first)
    till.verify(second)
    till.work()
    assert [(each.status, each.amount_minor) for each in till.refunds(order_id)] == [
        (RefundStatus.PROCESSED, difference)
    ]
    assert till.order(order_id).status is OrderStatus.PAID
    add_units(till, order_id, 1)
    late = till.start(order_id)
    till.clock.advance(timedelta(hours=1))
    till.database.run(lambda session: orders.expire_changes(session, now=till.clock.now()), actor="test")
    till.verify(till.standin.pay(late))
    till.work()
    assert [each.amount_minor for each in till.refunds(order_id)] == [difference, difference]
    assert till.order(order_id).status is OrderStatus.PAID
    till.check_books()


# --- two payments ---------------------------------------------------------------------------------------------------


def test_of_two_captured_payments_the_first_is_kept(till: Till) -> None:
    order_id = till.place()
    first, second = till.standin.pay_twice(till.start(order_id), captured=True)
    till.take_in(till.standin.deliveries.listing())
    kept, gone = till.payments(order_id)
    assert (kept.gateway_payment_id, kept.status) == (first.payment_id, PaymentStatus.CAPTURED)
    assert (gone.gateway_payment_id, gone.status) == (second.payment_id, PaymentStatus.REFUNDED)
    assert [refund.reason for refund in till.refunds(order_id)] == ["the order was paid already"]
    assert service.reconcile(till.database, till.gateway).differences == []
    till.check_books()


@pytest.mark.parametrize("by_itself", [True, False])
def test_a_late_second_payment_goes_back_whoever_does_it(till: Till, by_itself: bool) -> None:
    till.standin.change({"refunds_late_duplicates": by_itself})
    order_id = till.place()
    gateway_order_id = till.start(order_id)
    failed = till.standin.pay(gateway_order_id, outcome=Outcome.FAILED)
    till.verify(till.standin.pay(gateway_order_id))
    till.standin.authorize_late(failed.payment_id, capture=True)
    till.take_in(till.standin.deliveries.listing())
    late = next(each for each in till.payments(order_id) if each.gateway_payment_id == failed.payment_id)
    assert late.status is PaymentStatus.REFUNDED
    assert till.order(order_id).status is OrderStatus.PAID
    assert len(till.refunds(order_id)) == (0 if by_itself else 1)
    assert service.reconcile(till.database, till.gateway).differences == []
    till.check_books()


# --- refunds over several payments ------------------------------------------------------------------------------------


def test_a_refund_larger_than_each_payment_is_spread_over_them(till: Till) -> None:
    order_id, difference = grown(till)
    till.verify(till.standin.pay(till.start(order_id)))
    first, second = till.payments(order_id)
    everything = first.amount_minor + second.amount_minor
    with pytest.raises(service.RefundTooLarge, match=f"{everything} can be given back"):
        till.refund(order_id, everything + 1, "too much")
    wanted = first.amount_minor + 1
    refund_id = till.refund(order_id, wanted, "all but a bit")
    assert till.refund(order_id, wanted, "all but a bit") == refund_id
    with pytest.raises(IdempotencyMismatch):
        till.refund(order_id, wanted - 1, "all but a bit")
    till.work()
    assert [(each.payment_id, each.amount_minor, each.status) for each in till.refunds(order_id)] == [
        (first.id, first.amount_minor, RefundStatus.PROCESSED),
        (second.id, 1, RefundStatus.PROCESSED),
    ]
    assert [payment.status for payment in till.payments(order_id)] == [PaymentStatus.REFUNDED, PaymentStatus.CAPTURED]
    assert till.payments(order_id)[1].refunded_minor == 1 < difference
    till.check_books()


# --- figures --------------------------------------------------------------------------------------------------------


def figures(till: Till, order_id: int) -> service.OrderFigures:
    with till.database.read() as session:
        return service.order_figures(session, order_id=order_id)


def test_the_figures_of_an_order_through_its_life(till: Till) -> None:
    order_id = till.place()
    total = till.order(order_id).total_minor
    empty = figures(till, order_id)
    assert (empty.authorized_pending_minor, empty.net_minor) == (0, 0)
    gateway_order_id = till.start(order_id)
    assert figures(till, order_id) == replace(empty, authorized_pending_minor=total)
    first, second = till.standin.pay_twice(gateway_order_id)
    for paid in (first, second):
        snapshot = till.gateway.fetch_payment(paid.payment_id)
        till.database.run(
            lambda session, snapshot=snapshot: service.apply_gateway_payment(
                session, snapshot=snapshot, source="poller", now=till.clock.now()
            ),
            actor="test",
        )
    assert figures(till, order_id) == replace(empty, authorized_minor=2 * total, captured_pending_minor=2 * total)
    till.verify(first)
    fee = till.payments(order_id)[0].fee_minor or 0
    captured = replace(empty, captured_minor=total, fee_minor=fee, authorized_minor=total)
    assert figures(till, order_id) == replace(captured, cancelled_pending_minor=total)
    till.clock.advance(timedelta(days=3))
    service.poll_open(till.database, till.gateway)
    till.refund(order_id, 10_000, "key-1")
    lapsed = replace(captured, authorized_minor=0, cancelled_minor=total)
    assert figures(till, order_id) == replace(lapsed, refunded_pending_minor=10_000)
    till.work()
    final = figures(till, order_id)
    assert final == replace(lapsed, refunded_minor=10_000)
    assert final.net_minor == till.balances()["gateway_clearing"]
