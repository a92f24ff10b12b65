"""Exchanges and claims: other units for returned ones, and units sent again, with every rupee accounted for."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.support.trade import TradeKit
from tests.transactional.orders.desk import due, pay, refunds
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, IllegalTransition, InvalidInput
from transactional.core.models import OutboxMessage
from transactional.orders import events, jobs, service
from transactional.orders.service import AddedUnits, ChangeStatus, OrderChange, OrderStatus, PaidOutcome
from transactional.orders.verification import verify_order
from transactional.returns import service as returns


@pytest.fixture
def delivered(kit: TradeKit) -> int:
    """Three cups at 100.01 that arrived."""
    order_id = kit.buy({kit.variant("CUP", price=10_001, stock=9): 3})
    kit.deliver(order_id)
    return order_id


def ask(kit: TradeKit, order_id: int, units: int, variant_id: int, quantity: int = 1) -> int:
    """The customer sends units back and wants others; staff agree. Gives the return's id."""
    line = kit.lines(order_id)[0].id

    def work(session) -> int:  # type: ignore[no-untyped-def]
        asked = returns.request_return(
            session,
            order_id=order_id,
            quantities={line: units},
            reason="another colour",
            window_days=14,
            now=kit.now,
            exchange_for=[AddedUnits(variant_id, quantity)],
            actor="user:1",
        )
        returns.approve(session, return_id=asked.id, now=kit.now)
        return asked.id

    return kit.run(work)


def arrive(kit: TradeKit, return_id: int) -> OrderChange:
    """The returned units are here; gives the exchange."""

    def work(session) -> OrderChange:  # type: ignore[no-untyped-def]
        done = returns.process(session, return_id=return_id, actor="t", now=kit.now)
        assert done.order_id is not None
        return next(c for c in service.changes_of(session, done.order_id) if c.id == done.exchange_change_id)

    return kit.run(work)


def till(kit: TradeKit, order_id: int, paid: int) -> None:
    """Paid − sent back = total − given back, and the order is what its history says."""
    with kit.database.read() as session:
        order = service.get_order(session, order_id)
        given_back = service.given_back_minor(session, order_id)
        assert verify_order(session, order_id) == []
    assert paid - sum(refunds(kit).values()) == order.total_minor - given_back
    kit.assert_sound()


def test_a_cheaper_exchange_leaves_at_once_and_the_rest_goes_back(kit: TradeKit, delivered: int) -> None:
    card = kit.variant("CARD", price=15_000, stock=2)
    paid = kit.order(delivered).total_minor
    change = arrive(kit, ask(kit, delivered, 2, card))
    assert (change.status, change.difference_minor) == (ChangeStatus.APPLIED, 15_000 - 20_002)
    assert refunds(kit) == {f"change:{change.id}": 5_002}
    assert kit.order(delivered).status is OrderStatus.PARTIALLY_DELIVERED
    assert kit.level(card) == (2, 1)
    kit.run(lambda s: service.ship(s, order_id=delivered, actor="t", now=kit.now).id)
    kit.run(lambda s: service.deliver(s, order_id=delivered, actor="t", now=kit.now).id)
    assert (kit.order(delivered).status, kit.level(card)) == (OrderStatus.DELIVERED, (1, 0))
    till(kit, delivered, paid)


def test_a_dearer_exchange_waits_for_its_difference(kit: TradeKit, delivered: int) -> None:
    lamp = kit.variant("LAMP", price=50_000, stock=2)
    paid = kit.order(delivered).total_minor
    change = arrive(kit, ask(kit, delivered, 1, lamp))
    assert (change.status, due(kit, delivered)) == (ChangeStatus.AWAITING_PAYMENT, 39_999)
    assert (kit.order(delivered).status, kit.level(lamp)) == (OrderStatus.AWAITING_EXTRA_PAYMENT, (2, 1))
    assert pay(kit, delivered, 39_999) is PaidOutcome.CONFIRMED
    assert kit.order(delivered).status is OrderStatus.PARTIALLY_DELIVERED
    till(kit, delivered, paid + 39_999)


def test_an_exchange_that_is_not_paid_becomes_a_return(kit: TradeKit, clock: ManualClock, delivered: int) -> None:
    lamp = kit.variant("LAMP", price=50_000, stock=2)
    paid = kit.order(delivered).total_minor
    change = arrive(kit, ask(kit, delivered, 1, lamp))
    clock.advance(timedelta(days=3))
    assert jobs.expire_open_changes(kit.database) == 1
    assert refunds(kit) == {f"change:{change.id}": 10_001}
    assert (kit.order(delivered).status, kit.level(lamp)) == (OrderStatus.DELIVERED, (2, 0))
    till(kit, delivered, paid)


def test_an_exchange_for_what_is_gone_becomes_a_return(kit: TradeKit, delivered: int) -> None:
    card = kit.variant("CARD", price=15_000, stock=1)
    paid = kit.order(delivered).total_minor
    asked = ask(kit, delivered, 1, card)
    kit.buy({card: 1}, email="faster@example.com", pay=False)
    assert arrive(kit, asked).status is ChangeStatus.DECLINED
    assert kit.order(delivered).status is OrderStatus.DELIVERED
    till(kit, delivered, paid)


def test_an_exchange_that_the_customer_dropped_becomes_a_return(kit: TradeKit, delivered: int) -> None:
    card = kit.variant("CARD", price=5_000, stock=1)
    paid = kit.order(delivered).total_minor
    asked = ask(kit, delivered, 1, card)
    with kit.database.read() as session:
        draft = service.open_change_of(session, delivered)
    assert draft is not None
    with pytest.raises(Conflict, match="when the returned units arrive"):
        kit.run(lambda s: service.apply_change(s, change_id=draft.id, actor="t", now=kit.now))
    kit.run(lambda s: service.decline_change(s, change_id=draft.id, actor="t", now=kit.now))
    arrive(kit, asked)
    assert refunds(kit) == {f"change:{draft.id}": 10_001}
    till(kit, delivered, paid)


def test_a_rejected_return_takes_its_exchange_along(kit: TradeKit, delivered: int) -> None:
    card = kit.variant("CARD", price=5_000, stock=1)
    line = kit.lines(delivered)[0].id

    def work(session) -> None:  # type: ignore[no-untyped-def]
        asked = returns.request_return(
            session,
            order_id=delivered,
            quantities={line: 1},
            reason="",
            window_days=14,
            now=kit.now,
            exchange_for=[AddedUnits(card, 1)],
        )
        returns.reject(session, return_id=asked.id, now=kit.now)

    kit.run(work)
    with kit.database.read() as session:
        assert service.open_change_of(session, delivered) is None


def test_what_was_wrong_is_sent_again_free_of_charge(kit: TradeKit, delivered: int) -> None:
    before = kit.order(delivered)
    line = kit.lines(delivered)[0]
    kit.run(
        lambda s: service.send_again(s, order_id=delivered, units={line.id: 2}, actor="t", reason="broken", now=kit.now)
    )
    order, (_, again) = kit.order(delivered), kit.lines(delivered)
    assert (order.status, order.total_minor) == (OrderStatus.PARTIALLY_DELIVERED, before.total_minor)
    assert (again.quantity, again.gross_minor, again.net_minor) == (2, 20_002, 0)
    kit.run(lambda s: service.ship(s, order_id=delivered, actor="t", now=kit.now).id)
    kit.run(lambda s: service.deliver(s, order_id=delivered, actor="t", now=kit.now).id)
    assert kit.level(line.variant_id) == (4, 0)
    kit.return_units(again.id, 2)
    till(kit, delivered, before.total_minor)


def test_what_is_sent_again_moves_neither_the_delivery_nor_the_return_window(
    kit: TradeKit, clock: ManualClock, delivered: int
) -> None:
    line, arrived = kit.lines(delivered)[0], kit.order(delivered).delivered_at
    clock.advance(timedelta(days=10))
    kit.run(
        lambda s: service.send_again(s, order_id=delivered, units={line.id: 1}, actor="t", reason="broken", now=kit.now)
    )
    kit.run(lambda s: service.ship(s, order_id=delivered, actor="t", now=kit.now).id)
    kit.run(lambda s: service.deliver(s, order_id=delivered, actor="t", now=kit.now).id)
    order = kit.order(delivered)
    assert (order.status, order.delivered_at) == (OrderStatus.DELIVERED, arrived)
    clock.advance(timedelta(days=5))
    with pytest.raises(returns.OutsideWindow):
        ask(kit, delivered, 1, line.variant_id)
    with kit.database.read() as session:
        assert verify_order(session, delivered) == []


def test_what_an_exchange_brought_has_a_return_window_of_its_own(
    kit: TradeKit, clock: ManualClock, delivered: int
) -> None:
    arrived, card = kit.order(delivered).delivered_at, kit.variant("CARD", price=15_000, stock=9)
    clock.advance(timedelta(days=10))
    arrive(kit, ask(kit, delivered, 2, card))
    kit.run(lambda s: service.ship(s, order_id=delivered, actor="t", now=kit.now).id)
    kit.run(lambda s: service.deliver(s, order_id=delivered, actor="t", now=kit.now).id)
    assert kit.order(delivered).delivered_at == arrived
    clock.advance(timedelta(days=10))
    ask(kit, delivered, 1, card)
    with kit.database.read() as session:
        assert verify_order(session, delivered) == []


@pytest.mark.parametrize(
    ("units", "error"),
    [(lambda line: {line: 4}, Conflict), (lambda line: {}, InvalidInput), (lambda line: {line: 0}, InvalidInput)],
)
def test_no_more_is_sent_again_than_the_customer_has(
    kit: TradeKit, delivered: int, units: Callable[[int], dict[int, int]], error: type[Exception]
) -> None:
    wanted = units(kit.lines(delivered)[0].id)
    with pytest.raises(error):
        kit.run(lambda s: service.send_again(s, order_id=delivered, units=wanted, actor="t", reason="r", now=kit.now))
    assert kit.order(delivered).status is OrderStatus.DELIVERED


def test_only_what_was_delivered_is_exchanged_or_sent_again(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 1})
    line = kit.lines(order_id)[0].id
    with pytest.raises(IllegalTransition):
        kit.run(lambda s: service.send_again(s, order_id=order_id, units={line: 1}, actor="t", reason="r", now=kit.now))
    with pytest.raises(IllegalTransition):
        kit.run(
            lambda s: service.draft_exchange(
                s, order_id=order_id, add=[AddedUnits(cup, 1)], actor="t", reason="r", now=kit.now
            )
        )


def test_the_customer_hears_of_a_change_once(kit: TradeKit, delivered: int) -> None:
    change = arrive(kit, ask(kit, delivered, 2, kit.variant("CARD", price=15_000, stock=2)))
    for _ in range(2):
        events.tell_of_change(kit.database, {"order_id": delivered, "change_id": change.id})
    with kit.database.read() as session:
        mails = session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == "mail.send")).all()
    assert [mail["subject"] for mail in mails] == [f"Your order {kit.order(delivered).order_number} was changed"]
