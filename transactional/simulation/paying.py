"""How shoppers pay at the gateway: at once, at the second try, twice, behind a closed window, or days too late."""

from collections.abc import Callable
from datetime import timedelta

from transactional.core.errors import ShopError
from transactional.orders import service as orders
from transactional.payments import service as payments
from transactional.payments.service import GatewayOrder
from transactional.payments_standin.bank import Checkout, Method, Outcome
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import Stage

Then = Callable[[], None]

_METHODS = ((Method.UPI, 62), (Method.CARD, 22), (Method.NETBANKING, 8), (Method.WALLET, 8))
_FAILS = 0.08
_TRIES_AGAIN = 0.6
_PAYS_TWICE = 0.006
_CLOSES_WINDOW = 0.03
_ANSWERED_LATE = 0.2
_MOST_MINUTES = 6
_POLLED_AFTER = timedelta(minutes=7)
_PAID = (orders.OrderStatus.PAID, orders.OrderStatus.PACKED)


def pay(stage: Stage, shopper: Shopper, order_id: int, then: Then) -> None:
    """Pay what the order has due; `then` happens when the money has come. A failed payment is tried once more by some.

    Nothing happens where the order cannot be paid any more.
    """
    began = stage.now
    for fails in (stage.chance(_FAILS), stage.chance(_FAILS / 2)):
        stage.clock.set(min(stage.now + stage.after(0.01, 0.05), began + timedelta(minutes=_MOST_MINUTES)))
        request = _start(stage, order_id)
        if request is None:
            return
        if not fails:
            _succeed(stage, shopper, request, then)
            return
        _fail(stage, shopper, request, then)
        if not stage.chance(_TRIES_AGAIN):
            break
    stage.counts["orders never paid"] += 1


def _start(stage: Stage, order_id: int) -> GatewayOrder | None:
    try:
        return payments.start_payment(stage.database, order_id=order_id, gateway=stage.gateway, now=stage.now)
    except ShopError:
        return None


def _succeed(stage: Stage, shopper: Shopper, request: GatewayOrder, then: Then) -> None:
    if stage.chance(_CLOSES_WINDOW):
        # The browser never comes back: the shop finds the payment when it asks the gateway.
        _bank(stage, shopper, request, Outcome.CAPTURED)
        stage.counts["payments found by polling"] += 1
        stage.later(_POLLED_AFTER, lambda: _poll(stage, request.order_id, then))
        return
    if stage.chance(_PAYS_TWICE):
        stage.counts["double payments"] += 1
        for done in stage.standin.pay_twice(_reference(request), captured=True):
            _verify(stage, request, done)
    else:
        _verify(stage, request, _bank(stage, shopper, request, Outcome.CAPTURED))
    then()


def _fail(stage: Stage, shopper: Shopper, request: GatewayOrder, then: Then) -> None:
    """The bank declines; now and then it changes its mind hours or days later."""
    stage.counts["failed payments"] += 1
    done = _bank(stage, shopper, request, Outcome.FAILED)
    snapshot = stage.gateway.fetch_payment(done.payment_id)
    stage.work(
        "payments",
        lambda session: payments.apply_gateway_payment(session, snapshot=snapshot, source="browser", now=stage.now),
    )
    if stage.chance(_ANSWERED_LATE):
        stage.later(stage.after(0.2, 60), lambda: _authorise_late(stage, done, request.order_id, then))


def _authorise_late(stage: Stage, done: Checkout, order_id: int, then: Then) -> None:
    stage.counts["late authorisations"] += 1
    stage.standin.authorize_late(done.payment_id, capture=True)
    _poll(stage, order_id, then)


def _poll(stage: Stage, order_id: int, then: Then) -> None:
    """Ask the gateway; go on where that is what paid the order."""
    waited = _status(stage, order_id) not in _PAID
    payments.poll_open(stage.database, stage.gateway)
    if waited and _status(stage, order_id) in _PAID:
        then()


def _status(stage: Stage, order_id: int) -> orders.OrderStatus:
    return stage.look(lambda session: orders.get_order(session, order_id).status)


def _bank(stage: Stage, shopper: Shopper, request: GatewayOrder, outcome: Outcome) -> Checkout:
    (method,) = stage.rng.choices([m for m, _ in _METHODS], weights=[w for _, w in _METHODS])
    return stage.standin.pay(_reference(request), method=method, outcome=outcome, email=shopper.email)


def _verify(stage: Stage, request: GatewayOrder, done: Checkout) -> None:
    assert done.signature is not None
    payments.verify_checkout(
        stage.database,
        stage.gateway,
        gateway_order_id=_reference(request),
        gateway_payment_id=done.payment_id,
        signature=done.signature,
    )


def _reference(request: GatewayOrder) -> str:
    assert request.gateway_order_id is not None
    return request.gateway_order_id
