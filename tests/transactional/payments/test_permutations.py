"""Every order, repetition and loss of reports, whoever brings them, ends in one state."""

import itertools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transactional.payments.till import Desk, Till, final_state
from transactional.core.errors import OutOfStock
from transactional.orders import service as orders
from transactional.orders.service import OrderStatus
from transactional.payments import service
from transactional.payments.models import PaymentStatus, RefundStatus
from transactional.payments_standin.bank import Checkout, Method, Outcome
from transactional.payments_standin.deliveries import Delivery
from transactional.payments_standin.gateway import ApiRequest

AUTH = {"authorization": "Basic cnpwX3Rlc3RfbG9jYWw6bG9jYWwtc3RhbmQtaW4tc2VjcmV0"}
EVENTS = (
    "payment.failed",
    "payment.authorized",
    "payment.captured",
    "order.paid",
    "refund.created",
    "refund.processed",
)
VERIFY, POLL, WORK = "verify", "poll", "work"

Step = tuple[int, bool] | str
"""An event by position, perhaps under a new id, or what browser, poller and worker do in between."""


@dataclass(frozen=True)
class Purchase:
    """A shop just before the events of a purchase arrive, the events, and what the browser brings back."""

    till: Till
    shop: Path
    before: Path
    order_id: int
    paid: Checkout
    events: Sequence[Delivery]

    def after(self, steps: Sequence[Step], *, reconcile: bool = False) -> tuple:
        """The final state after the steps, one by one; the books close after the last."""
        # The engine stays, only its file goes back: a new engine would compile every statement anew.
        self.till.database.engine.dispose()
        shutil.copy(self.before, self.shop)
        for number, step in enumerate(steps):
            self._do(step, number)
        if reconcile:
            assert service.reconcile(self.till.database, self.till.gateway).differences == []
        self.till.check_books()
        return final_state(self.till, self.order_id)

    def _do(self, step: Step, number: int) -> None:
        if step == VERIFY:
            self.till.verify(self.paid)
        elif step == POLL:
            service.poll_open(self.till.database, self.till.gateway)
        elif step == WORK:
            self.till.work()
        else:
            position, renewed = step
            event = self.events[position]
            self.till.take_in([replace(event, event_id=f"evt_again_{number}") if renewed else event])

    @cached_property
    def expected(self) -> tuple:
        """The state after the events in the order in which they happened."""
        return self.after([(position, False) for position in range(len(self.events))])


@pytest.fixture
def purchase(till: Till, tmp_path: Path) -> Purchase:
    """A failed attempt, a card payment that is captured, a partial refund ordered at the gateway."""
    order_id = till.place()
    gateway_order_id = till.start(order_id)
    till.standin.pay(gateway_order_id, outcome=Outcome.FAILED)
    paid = till.standin.pay(gateway_order_id, method=Method.CARD, outcome=Outcome.CAPTURED)
    path = f"/v1/payments/{paid.payment_id}/refund"
    till.standin.handle(ApiRequest("POST", path, headers=AUTH, body=b'{"amount": 20000}'))
    till.database.engine.dispose()  # the last connection to close writes the WAL back into the file
    shop, before = tmp_path / "shop.db", tmp_path / "before.db"
    shutil.copy(shop, before)
    return Purchase(till, shop, before, order_id, paid, till.standin.deliveries.listing())


def test_the_events_in_their_order(purchase: Purchase) -> None:
    assert tuple(event.event for event in purchase.events) == EVENTS
    status, payments, refunds, balances, captures, stock = purchase.expected
    assert status is OrderStatus.PAID
    total = purchase.till.order(purchase.order_id).total_minor
    assert sorted(payment[1:4] for payment in payments) == [
        (PaymentStatus.CAPTURED, total, 20_000),
        (PaymentStatus.FAILED, 0, 0),
    ]
    assert [refund[1:] for refund in refunds] == [(RefundStatus.PROCESSED, 20_000)]
    assert dict(balances)["customer_payments"] == 20_000 - total
    assert captures == 1
    assert stock == {purchase.till.variant_id: 97}


INTERRUPTIONS = st.one_of(
    st.sampled_from([VERIFY, POLL, WORK]),
    st.tuples(st.integers(0, len(EVENTS) - 1), st.booleans()),
)


@pytest.mark.slow
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(len(EVENTS))),
    inserted=st.lists(st.tuples(INTERRUPTIONS, st.integers(0, 12)), max_size=6),
)
def test_any_order_repetition_and_bearer_of_reports_ends_in_one_state(
    purchase: Purchase, order: list[int], inserted: list[tuple[Step, int]]
) -> None:
    steps: list[Step] = [(position, False) for position in order]
    for step, place in inserted:
        steps.insert(place, step)
    assert purchase.after(steps) == purchase.expected


@pytest.mark.slow
@settings(max_examples=14, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(heard=st.permutations(range(6)).flatmap(lambda order: st.integers(0, 5).map(lambda count: order[:count])))
def test_lost_events_are_made_good_by_the_reconciler(purchase: Purchase, heard: list[int]) -> None:
    assert purchase.after([(position, False) for position in heard], reconcile=True) == purchase.expected


@pytest.mark.slow
def test_all_permutations_end_in_one_state(purchase: Purchase) -> None:
    # The failed attempt comes first: it touches a row of its own, and 120 sequences are enough of an answer.
    for order in itertools.permutations(range(1, 6)):
        assert purchase.after([(position, False) for position in (0, *order)]) == purchase.expected, order


TAKE_STOCK = "take stock"


@pytest.mark.slow
@settings(max_examples=16, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.permutations([0, 1, 2, 3, TAKE_STOCK, POLL, WORK]),
    repeated=st.lists(st.integers(0, 3), max_size=2),
    captured=st.booleans(),
)
def test_a_late_authorisation_of_an_expired_order_is_either_confirmed_or_refunded(
    desk: Desk, steps: list[int | str], repeated: list[int], captured: bool
) -> None:
    till = desk.open()
    with service.gateway_in_use(till.gateway):
        order_id = till.place(quantity=60)
        failed = till.standin.pay(till.start(order_id), outcome=Outcome.FAILED)
        till.clock.advance(timedelta(minutes=20))
        till.database.run(lambda session: orders.expire_unpaid(session, now=till.clock.now()), actor="test")
        assert till.order(order_id).status is OrderStatus.EXPIRED
        till.clock.advance(timedelta(days=2))
        till.standin.authorize_late(failed.payment_id, capture=captured)
        events = till.standin.deliveries.listing()
        others: list[int] = []
        for step in (*steps, *repeated, POLL, WORK):
            if step == TAKE_STOCK:
                others += _take_stock(till)
            elif step == POLL:
                service.poll_open(till.database, till.gateway)
            elif step == WORK:
                till.work()
            elif int(step) < len(events):
                till.take_in([events[int(step)]])
        till.take_in(till.standin.deliveries.listing()[len(events) :])
        payment = till.payments(order_id)[0]
        order = till.order(order_id)
        refunds = [(refund.status, refund.amount_minor) for refund in till.refunds(order_id)]
        kept = order.status is OrderStatus.PAID and payment.status is PaymentStatus.CAPTURED and refunds == []
        went_back = (
            order.status is OrderStatus.CANCELLED
            and payment.status is PaymentStatus.REFUNDED
            and refunds == [(RefundStatus.PROCESSED, order.total_minor)]
        )
        assert kept != went_back
        assert kept is not bool(others)
        assert till.captures() == 1 + len(others)
        assert service.reconcile(till.database, till.gateway).differences == []
        till.check_books()


def _take_stock(till: Till) -> list[int]:
    """Somebody else buys what is left, if it is enough for them."""
    try:
        return [till.buy(quantity=60)]
    except OutOfStock:
        return []
