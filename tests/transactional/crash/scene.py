"""What happens in a crash test: purchases up to the operation that is killed, the restart, and what must hold then."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response
from pydantic import SecretStr
from sqlalchemy import func, select

from tests.support.keys import keyed
from tests.support.trade import ADDRESS, TradeKit
from tests.support.web import log_in, register
from tests.transactional.crash.fuse import bury, killed_at
from tests.transactional.payments.till import SECRET
from transactional.accounts import service as accounts
from transactional.core import jobs, outbox
from transactional.core.clock import ManualClock
from transactional.core.models import OutboxMessage, OutboxState
from transactional.core.uow import Database
from transactional.inventory.models import HoldState, StockHold
from transactional.orders.models import Order, OrderStatus
from transactional.payments import ledger
from transactional.payments import service as payments
from transactional.payments.gateway import PaymentSnapshot
from transactional.payments.models import LedgerPosting, Payment, PaymentStatus
from transactional.payments.razorpay import RazorpayGateway
from transactional.payments_standin.bank import Checkout, Outcome
from transactional.payments_standin.deliveries import Delivery
from transactional.payments_standin.gateway import Gateway
from transactional.settings import WebhookSecret

EMAIL = "asha@example.com"
COUPON = "TEN"
POINTS = 50
_MAX_STEPS = 150


def accepted(answer: Response, status: int) -> dict[str, Any]:
    """The content of an answer that must have this status."""
    assert answer.status_code == status, answer.text
    content: dict[str, Any] = answer.json()
    return content


@dataclass
class Scene:
    """The shop before, during and after its process's death."""

    pg_url: str
    kit: TradeKit
    clock: ManualClock
    standin: Gateway
    bank_url: str
    doomed: Database
    """The connections of the process that will be killed."""
    variant_id: int = 0
    customer_id: int = 0
    client: TestClient = field(init=False)
    doomed_client: TestClient = field(init=False)
    headers: dict[str, str] = field(default_factory=dict)
    followers: dict[str, list[outbox.Handler]] = field(default_factory=dict)
    """Who would follow the topics of others, were they let."""

    @property
    def database(self) -> Database:
        """The restarted shop's."""
        return self.kit.database

    def new_gateway(self) -> RazorpayGateway:
        """A client with connections of its own."""
        config = self.standin.config
        return RazorpayGateway(
            key_id=config.key_id,
            key_secret=SecretStr(config.key_secret),
            webhook_secrets=[WebhookSecret(secret=SecretStr(SECRET))],
            base_url=self.bank_url,
        )

    def stock_up(self) -> None:
        """One gift in plenty, a customer who has points, and a coupon."""
        self.variant_id = self.kit.variant("CUP", price=50_000, stock=1_000)
        user_id = register(self.database, EMAIL)
        with self.database.read() as session:
            customer = accounts.customer_of_user(session, user_id)
        assert customer is not None
        self.customer_id = customer.id
        self.kit.give_points(self.customer_id, 100_000)
        self.kit.coupon(COUPON)

    def log_in(self) -> None:
        """The customer's session, which ends as time passes."""
        self.headers = log_in(self.client, EMAIL)

    # --- purchases --------------------------------------------------------------------------------------------------

    def fill_cart(self) -> str:
        """A cart with two of the gift and the coupon; gives its id."""
        lines = [{"variant_id": self.variant_id, "quantity": 2}]
        cart_id: str = self._post("/v1/carts", {"lines": lines})["id"]
        self.client.put(f"/v1/carts/{cart_id}/coupon", json={"code": COUPON}, headers=self.headers)
        return cart_id

    def checkout_body(self, cart_id: str) -> dict[str, Any]:
        """An order of the cart, part of it paid in points, with its payment."""
        return {"cart_id": cart_id, "ship_to": ADDRESS, "redeem_points": POINTS, "start_payment": True}

    def checkout(self, body: dict[str, Any], headers: dict[str, str], *, doomed: bool = False) -> dict[str, Any]:
        """Send a checkout, perhaps once more, to the process that runs or to the one that dies."""
        client = self.doomed_client if doomed else self.client
        return accepted(client.post("/v1/checkout", json=body, headers=headers), 201)

    def place(self) -> dict[str, Any]:
        """An order whose payment has started."""
        return self._post("/v1/checkout", self.checkout_body(self.fill_cart()))

    def pay_at_bank(self, placed: dict[str, Any]) -> Checkout:
        """The money has left the customer's account; the shop knows nothing of it."""
        return self.standin.pay(placed["payment"]["gateway_order_id"], outcome=Outcome.CAPTURED)

    def buy(self) -> str:
        """A paid order; gives its number."""
        placed = self.place()
        self.verify(self.pay_at_bank(placed))
        number: str = placed["order_number"]
        return number

    def verify(self, paid: Checkout, *, doomed: bool = False) -> None:
        """What the browser does after the bank."""
        client = self.doomed_client if doomed else self.client
        verified = accepted(client.post("/v1/payments/verify", json=paid.render()), 200)
        assert verified["order_status"] == "paid"

    def hand_over(self, events: Iterable[Delivery], *, doomed: bool = False) -> None:
        """The gateway's webhooks arrive."""
        client = self.doomed_client if doomed else self.client
        for delivery in events:
            headers = {"X-Razorpay-Signature": delivery.signature, "X-Razorpay-Event-Id": delivery.event_id}
            accepted(client.post("/v1/webhooks/razorpay", content=delivery.body, headers=headers), 200)

    def cancel(self, order_number: str, *, doomed: bool = False) -> None:
        """The customer calls an order off."""
        client = self.doomed_client if doomed else self.client
        accepted(client.post(f"/v1/orders/{order_number}/cancel", json={}, headers=self.headers), 200)

    def refund(self, order_id: int, amount_minor: int, key: str, *, doomed: bool = False) -> None:
        """Staff gives a part of the money back."""
        database = self.doomed if doomed else self.database
        now = self.clock.now()
        database.run(
            lambda session: (
                payments.request_refund(
                    session, order_id=order_id, amount_minor=amount_minor, reason="late", idempotency_key=key, now=now
                ).id
            ),
            actor="test",
        )

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return accepted(self.client.post(path, json=body, headers=keyed(self.headers)), 201)

    # --- death and resurrection -------------------------------------------------------------------------------------

    def sweep(self, prepare: Callable[[], Callable[[], object]], *, keep: Collection[str] = (), every: int = 1) -> int:
        """Kill an operation at its first, second, … step, each time a new one, until one lives to its end.

        `prepare` sets the stage for one and gives the operation, to which messages of the topics in `keep` are left.
        `every` is the distance between two steps, for what is long and swept elsewhere in parts. Gives the last step at
        which it died.
        """
        for step in range(1, _MAX_STEPS, every):
            operation = prepare()
            self.work(keep=keep)  # what else preparing left behind is not the victim's
            if not killed_at(step, operation, database=self.doomed, gateway=self.new_gateway()):
                bury(self.pg_url)
                return step - every
        raise AssertionError(f"the operation has more than {_MAX_STEPS} steps")

    def work(self, *, keep: Collection[str] = ()) -> None:
        """What a worker does that leaves some topics to others."""
        outbox.drain(self.database, topics=set(outbox._handlers) - set(keep))

    def doomed_work(self, *topics: str, limit: int = 1000) -> None:
        """What the dying process's worker does, perhaps with some topics only and a few messages of them."""
        outbox.drain(self.doomed, topics=topics, limit=limit)

    def let_time_pass(self) -> None:
        """The restarted worker's rounds: past every lease and back-off, and past the time to pay."""
        for minutes in (3, 20, 60):
            self.clock.advance(timedelta(minutes=minutes))
            jobs.run_all(self.database)
            outbox.drain(self.database)

    # --- what must hold ---------------------------------------------------------------------------------------------

    def order_by_number(self, number: str) -> Order:
        """An order as it stands."""
        with self.database.read() as session:
            return session.scalars(select(Order).where(Order.order_number == number)).one()

    def orders(self) -> list[Order]:
        """Every order, oldest first."""
        with self.database.read() as session:
            return list(session.scalars(select(Order).order_by(Order.id)))

    def check_everything(self) -> None:
        """Every ledger closes, nothing is left undone, and each order's state fits its money."""
        self.check_books()
        for order in self.orders():
            self._check_order(order)
        self._check_claims()

    def check_books(self) -> None:
        """Every ledger closes, the gateway's included, and nothing is left undone."""
        self.kit.assert_sound()
        self._check_payments()
        self._check_outbox()

    def _check_payments(self) -> None:
        with self.database.read() as session:
            assert ledger.unbalanced_transactions(session) == []
            assert (session.scalar(select(func.sum(LedgerPosting.amount_minor))) or 0) == 0
            rows = session.scalars(select(Payment)).all()
            balance = ledger.balances(session, currency="INR")
        kept = sum(payment.captured_minor - payment.refunded_minor for payment in rows)
        assert -balance.get(ledger.Account.CUSTOMERS, 0) == kept
        assert {payment.gateway_payment_id: payment.captured_minor - payment.refunded_minor for payment in rows} == {
            payment.payment_id: payment.amount_minor - payment.refunded_minor for payment in self.taken_at_gateway()
        }
        assert [payment.refund_pending_minor for payment in rows if payment.refund_pending_minor] == []

    def taken_at_gateway(self) -> list[PaymentSnapshot]:
        """Every payment that the gateway took, as it tells."""
        until = self.clock.now()
        created = self.new_gateway().payments_created(until - timedelta(days=1), until)
        return [each for each in created if each.status in {PaymentStatus.CAPTURED, PaymentStatus.REFUNDED}]

    def _check_outbox(self) -> None:
        with self.database.read() as session:
            unfinished = select(OutboxMessage.topic, OutboxMessage.last_error).where(
                OutboxMessage.state != OutboxState.DONE
            )
            assert session.execute(unfinished).all() == []

    def _check_order(self, order: Order) -> None:
        """The customer's view: paid orders hold their goods and their money, others neither."""
        with self.database.read() as session:
            rows = session.scalars(select(Payment).where(Payment.order_id == order.id)).all()
            held = session.scalar(
                select(func.coalesce(func.sum(StockHold.quantity), 0)).where(
                    StockHold.order_id == order.id, StockHold.state == HoldState.LIVE
                )
            )
        kept = sum(payment.captured_minor - payment.refunded_minor for payment in rows)
        if order.status is OrderStatus.PAID:
            assert held == 2
            assert 0 < kept <= order.total_minor
        else:
            assert order.status in {OrderStatus.EXPIRED, OrderStatus.CANCELLED}, order.status
            assert (held, kept) == (0, 0)

    def _check_claims(self) -> None:
        paid = sum(order.status is OrderStatus.PAID for order in self.orders())
        balance = self.kit.points(self.customer_id)
        assert self.kit.coupon_uses(COUPON) >= paid
        assert (balance.held, balance.spent) == (0, POINTS * paid)
