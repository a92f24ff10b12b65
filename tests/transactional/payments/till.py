"""A shop with one gift on the shelf, a shopper, and Razorpay's stand-in behind the real client."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.cart import service as carts
from transactional.catalog import service as catalog
from transactional.checkout import service as checkout
from transactional.core import outbox
from transactional.core.clock import ManualClock
from transactional.core.security import PasswordHasher
from transactional.core.uow import Database
from transactional.inventory import service as inventory
from transactional.orders import service as orders
from transactional.payments import inbox, ledger, service
from transactional.payments.models import GatewayOrder, LedgerPosting, LedgerTransaction, Payment, Refund, WebhookInbox
from transactional.payments.razorpay import RazorpayGateway
from transactional.payments_standin.bank import Checkout, Outcome
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.deliveries import Delivery
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.in_process import connect
from transactional.settings import Settings

SECRET = "webhook-secret"
ADDRESS = {
    "recipient": "Asha Rao",
    "phone": "+919000090000",
    "line1": "12 Lake Road",
    "city": "Bengaluru",
    "state": "Karnataka",
    "postal_code": "560004",
    "country": "India",
}


@dataclass
class Till:
    """Everything that a payment test touches."""

    database: Database
    clock: ManualClock
    standin: Gateway
    gateway: RazorpayGateway
    settings: Settings
    customer_id: int = 0
    user_id: int = 0
    variant_id: int = 0
    secrets: list[SecretStr] = field(default_factory=list)

    def place(self, quantity: int = 3, *, mode: str = "online") -> int:
        """A new order that awaits payment; gives its id."""

        def work(session: Session) -> int:
            now = self.clock.now()
            cart = carts.create_cart(session, currency="INR", now=now, customer_id=self.customer_id)
            carts.add_line(session, cart=cart, variant_id=self.variant_id, quantity=quantity, now=now)
            order = checkout.place_order(
                session,
                cart_public_id=cart.public_id,
                customer_id=self.customer_id,
                ship_to=ADDRESS,
                payment_mode=mode,
                now=now,
                settings=self.settings,
            )
            return order.id

        return self.database.run(work, actor="test")

    def start(self, order_id: int) -> str:
        """Start the payment; gives the gateway's order id."""
        request = service.start_payment(self.database, order_id=order_id, gateway=self.gateway, now=self.clock.now())
        assert request.gateway_order_id is not None
        return request.gateway_order_id

    def verify(self, paid: Checkout) -> service.Verification:
        """What the browser does after the checkout."""
        assert paid.signature is not None
        return service.verify_checkout(
            self.database,
            self.gateway,
            gateway_order_id=paid.order_id,
            gateway_payment_id=paid.payment_id,
            signature=paid.signature,
        )

    def buy(self, quantity: int = 3) -> int:
        """A paid order; gives its id."""
        order_id = self.place(quantity)
        self.verify(self.standin.pay(self.start(order_id), outcome=Outcome.CAPTURED))
        return order_id

    def deliver(self, order_id: int) -> None:
        """Bring a paid order to its recipient."""
        for step in (orders.pack, orders.ship, orders.deliver):
            self.database.run(
                lambda session, step=step: step(session, order_id=order_id, actor="test", now=self.clock.now()),
                actor="test",
            )

    def refund(self, order_id: int, amount_minor: int, key: str) -> int:
        """Order a refund; gives its id."""
        return self.database.run(
            lambda session: (
                service.request_refund(
                    session,
                    order_id=order_id,
                    amount_minor=amount_minor,
                    reason="test",
                    idempotency_key=key,
                    now=self.clock.now(),
                ).id
            ),
            actor="test",
        )

    def take_in(self, deliveries: Iterable[Delivery]) -> None:
        """Receive webhooks one by one and let the worker finish each."""
        for delivery in deliveries:
            self.gateway.verify_webhook(delivery.body, delivery.signature)
            self.database.run(
                lambda session, delivery=delivery: inbox.receive(
                    session, raw=delivery.body, event_id=delivery.event_id, now=self.clock.now()
                ),
                actor="test",
            )
            self.work()

    def work(self) -> None:
        """Let the worker drain the outbox, our own messages only."""
        outbox.drain(self.database)

    def order(self, order_id: int) -> orders.Order:
        with self.database.read() as session:
            return orders.get_order(session, order_id)

    def payments(self, order_id: int) -> list[Payment]:
        with self.database.read() as session:
            return list(service.payments_of_order(session, order_id=order_id))

    def refunds(self, order_id: int) -> list[Refund]:
        with self.database.read() as session:
            return list(service.refunds_of_order(session, order_id=order_id))

    def captures(self) -> int:
        """How many captures the ledger holds."""
        with self.database.read() as session:
            statement = select(func.count()).where(LedgerTransaction.kind == "capture")
            return session.scalar(statement) or 0

    def balances(self) -> dict[str, int]:
        with self.database.read() as session:
            return ledger.balances(session, currency="INR")

    def count(self, model: type) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(model)) or 0

    def check_books(self) -> None:
        """Every invariant of the ledger, at any time."""
        with self.database.read() as session:
            assert ledger.unbalanced_transactions(session) == []
            assert (session.scalar(select(func.sum(LedgerPosting.amount_minor))) or 0) == 0
            payments = session.scalars(select(Payment)).all()
            for payment in payments:
                assert 0 <= payment.refunded_minor + payment.refund_pending_minor <= payment.captured_minor
            balance = ledger.balances(session, currency="INR")
            kept = sum(payment.captured_minor - payment.refunded_minor for payment in payments)
            assert -balance.get(ledger.Account.CUSTOMERS, 0) == kept
            at_gateway = sum(
                payment.captured_minor - payment.refunded_minor - (payment.fee_minor or 0)
                for payment in payments
                if payment.gateway == "razorpay"
            )
            assert balance.get(ledger.Account.GATEWAY, 0) == at_gateway
            assert inventory.discrepancies(session) == []


def open_till(database: Database, clock: ManualClock, *, config: StandInConfig | None = None, stock: int = 100) -> Till:
    """A till over an empty shop."""
    standin = Gateway(config or StandInConfig(), clock=clock)
    standin.deliveries.set_webhook("http://shop/v1/webhooks/razorpay", SECRET)
    gateway = connect(standin, webhook_secrets=[SecretStr(SECRET)])
    till = Till(database, clock, standin, gateway, Settings(DATABASE_URL="sqlite://"))

    def stock_up(session: Session) -> tuple[int, int, int]:
        now = clock.now()
        category = catalog.create_category(session, name="Lamps")
        product = catalog.create_product(
            session,
            name="Moon lamp",
            category_id=category.id,
            sku="LAMP-1",
            price_minor=33_333,
            currency="INR",
            tax_rate_bp=1800,
            weight_grams=100,
            is_customisable=True,
            now=now,
        )
        variant = catalog.default_variant(session, product.id)
        inventory.receive(
            session,
            variant_id=variant.id,
            location_id=inventory.default_location(session).id,
            quantity=stock,
            reason="first delivery",
            now=now,
        )
        customer = accounts.register_customer(
            session,
            email="asha@example.com",
            password="a long walk by the sea",
            full_name="Asha Rao",
            hasher=PasswordHasher.cheap(),
            now=now,
        )
        assert customer.user_id is not None
        return customer.id, customer.user_id, variant.id

    till.customer_id, till.user_id, till.variant_id = database.run(stock_up, actor="test")
    return till


class Desk:
    """Empty shops one after the other, on the file of the test's database."""

    def __init__(self, database: Database, clock: ManualClock, template: Path) -> None:
        self._database, self._clock, self._template = database, clock, template

    def open(self) -> Till:
        """A till over a shop that has never sold anything, at the gateway's first day."""
        self._database.engine.dispose()
        shutil.copy(self._template, str(self._database.engine.url.database))
        return open_till(self._database, self._clock)


def final_state(till: Till, order_id: int) -> tuple:
    """Everything that must not depend on the order of events; row ids and times may."""
    payments = sorted(
        (p.gateway_payment_id, p.status, p.captured_minor, p.refunded_minor, p.refund_pending_minor, p.fee_minor)
        for p in till.payments(order_id)
    )
    refunds = sorted((r.gateway_refund_id, r.status, r.amount_minor) for r in till.refunds(order_id))
    with till.database.read() as session:
        stock = inventory.saleable(session, [till.variant_id])
    order = till.order(order_id)
    return order.status, payments, refunds, sorted(till.balances().items()), till.captures(), stock


__all__ = ["ADDRESS", "SECRET", "Desk", "GatewayOrder", "Till", "WebhookInbox", "final_state", "open_till"]
