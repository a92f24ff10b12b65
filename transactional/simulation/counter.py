"""The shop's counter: what shoppers and staff do there, each through the services that the HTTP routes call too."""

import random
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.behaviour import service as behaviour
from transactional.behaviour.service import Event
from transactional.cart import service as carts
from transactional.checkout import service as checkout
from transactional.core.clock import ManualClock
from transactional.core.errors import ShopError
from transactional.core.security import PasswordHasher
from transactional.core.uow import Database
from transactional.loyalty import service as loyalty
from transactional.orders import service as orders
from transactional.orders.service import Order, OrderStatus
from transactional.payments import service as payments
from transactional.payments.razorpay import RazorpayGateway
from transactional.payments_standin.bank import Method, Outcome
from transactional.payments_standin.gateway import Gateway
from transactional.settings import Settings
from transactional.simulation.gifts import Shelved
from transactional.simulation.shoppers import CITIES, Shopper


@dataclass(frozen=True, slots=True)
class Wish:
    """What a visit is about: the basket, the occasion, and how the shopper means to pay."""

    basket: list[tuple[Shelved, int]]
    occasion: str | None
    coupon: str | None
    redeem: bool
    on_delivery: bool


class Counter:
    """One shop with its clock, its payment gateway and the bank behind it."""

    def __init__(
        self, database: Database, clock: ManualClock, bank: Gateway, gateway: RazorpayGateway, settings: Settings
    ):
        self.database = database
        self.clock = clock
        self.settings = settings
        self._bank = bank
        self._gateway = gateway
        self._customers: dict[int, int] = {}
        self._password_hash = PasswordHasher.cheap().hash("simulated shoppers never log in")

    # --- shoppers ----------------------------------------------------------------------------------------------

    def register(self, shopper: Shopper) -> None:
        """A shopper opens an account; a guest only leaves an e-mail."""
        now = self.clock.now()
        with self.database.unit_of_work(actor="simulation") as session:
            if shopper.is_guest:
                customer = accounts.get_or_create_guest(
                    session,
                    email=shopper.email,
                    full_name=shopper.name,
                    country="India",
                    city=shopper.city,
                    acquisition_channel=shopper.channel,
                    marketing_consent=shopper.consents,
                    now=now,
                )
            else:
                customer = accounts.register_customer(
                    session,
                    email=shopper.email,
                    full_name=shopper.name,
                    password_hash=self._password_hash,
                    country="India",
                    city=shopper.city,
                    birthday=shopper.birthday,
                    acquisition_channel=shopper.channel,
                    marketing_consent=shopper.consents,
                    now=now,
                )
            self._customers[shopper.number] = customer.id

    def customer_id(self, shopper: Shopper) -> int:
        """The customer behind a registered shopper."""
        return self._customers[shopper.number]

    def browse(
        self, rng: random.Random, shopper: Shopper, seen: list[Shelved], carted: list[tuple[Shelved, int]]
    ) -> None:
        """Looks and cart changes of one visit, as the client reports them, in one batch."""
        now = self.clock.now()
        session_id = f"s{rng.getrandbits(60):015x}"
        common = {"anonymous_id": f"visitor-{shopper.number}", "session_id": session_id, "client_time": now}

        def event(kind: str, item: Shelved, **properties: object) -> Event:
            return Event(
                event_id=f"e{rng.getrandbits(60):015x}",
                type=kind,
                product_id=item.product_id,
                properties=properties,
                **common,  # type: ignore[arg-type]
            )

        events = [event("view", item, source=rng.choice(("direct", "search", "category"))) for item in seen]
        events += [
            event("add_to_cart", item, variant_id=item.variant_id, quantity=quantity) for item, quantity in carted
        ]
        with self.database.unit_of_work(actor="simulation") as session:
            behaviour.record(session, events, customer_id=self.customer_id(shopper), now=now)

    def fill_cart(self, shopper: Shopper, wish: Wish) -> str:
        """A cart with the wished gifts; gives its public id."""
        now = self.clock.now()
        with self.database.unit_of_work(actor="simulation") as session:
            owner = None if shopper.is_guest else self.customer_id(shopper)
            cart = carts.create_cart(session, currency=self.settings.base_currency, customer_id=owner, now=now)
            for item, quantity in wish.basket:
                words = {"text": shopper.name.split()[0]} if item.gift.customisable else None
                carts.add_line(
                    session, cart=cart, variant_id=item.variant_id, quantity=quantity, customisation=words, now=now
                )
            return cart.public_id

    def place(self, shopper: Shopper, cart_id: str, wish: Wish) -> Order | None:
        """Check the cart out; None where the shop refuses (out of stock, coupon not valid any more …)."""
        now = self.clock.now()
        state, postal_code = CITIES[shopper.city]
        owner = None if shopper.is_guest else self.customer_id(shopper)
        try:
            with self.database.unit_of_work(actor="simulation") as session:
                if wish.coupon:
                    self._try_coupon(session, cart_id, owner, wish.coupon, now)
                return checkout.place_order(
                    session,
                    cart_public_id=cart_id,
                    customer_id=owner,
                    email=shopper.email if shopper.is_guest else None,
                    redeem_points=self._points(session, owner, cart_id, now) if wish.redeem else 0,
                    occasion=wish.occasion,
                    payment_mode="on_delivery" if wish.on_delivery else "online",
                    ship_to={
                        "recipient": shopper.name,
                        "phone": "+919000000000",
                        "line1": f"{shopper.number} Gift Street",
                        "city": shopper.city,
                        "state": state,
                        "postal_code": postal_code,
                        "country": "India",
                    },
                    now=now,
                    settings=self.settings,
                )
        except ShopError:
            return None

    def _try_coupon(self, session: Session, cart_id: str, owner: int | None, code: str, now: datetime) -> None:
        cart = carts.get_cart(session, public_id=cart_id, customer_id=owner)
        try:
            carts.apply_coupon(session, cart=cart, code=code, now=now)
        except ShopError:
            return

    def _points(self, session: Session, owner: int | None, cart_id: str, now: datetime) -> int:
        if owner is None:
            return 0
        active = loyalty.balance(session, owner, now=now).active
        if active < 20:
            return 0
        cart = carts.get_cart(session, public_id=cart_id, customer_id=owner)
        priced = carts.price_cart(session, cart=cart, now=now, settings=self.settings, customer_id=owner)
        payable = priced.gross_minor - priced.discount_minor
        offer = loyalty.redemption_offer(session, customer_id=owner, merchandise_minor=payable, now=now)
        return 0 if offer is None or offer.max_points < offer.min_points else min(active, offer.max_points)

    def pay(self, order: Order, *, method: str, outcome: str) -> bool:
        """One attempt at the gateway, verified as the browser would; whether the order is paid afterwards."""
        request = payments.start_payment(self.database, order_id=order.id, gateway=self._gateway, now=self.clock.now())
        assert request.gateway_order_id is not None
        triple = self._bank.pay(request.gateway_order_id, method=Method(method), outcome=Outcome(outcome))
        if triple.signature is None:
            return False
        payments.verify_checkout(
            self.database,
            self._gateway,
            gateway_order_id=triple.order_id,
            gateway_payment_id=triple.payment_id,
            signature=triple.signature,
        )
        return True

    # --- staff -------------------------------------------------------------------------------------------------

    def status(self, order_id: int) -> OrderStatus:
        """Where an order stands."""
        with self.database.read() as session:
            return orders.get_order(session, order_id).status

    def pack_and_ship(self, order_id: int) -> None:
        """The parcel leaves the house."""
        now = self.clock.now()
        with self.database.unit_of_work(actor="simulation") as session:
            orders.pack(session, order_id=order_id, actor="simulation", now=now)
            orders.ship(session, order_id=order_id, actor="simulation", carrier="own", now=now)

    def deliver(self, order_id: int) -> None:
        """The parcel arrives."""
        with self.database.unit_of_work(actor="simulation") as session:
            orders.deliver(session, order_id=order_id, actor="simulation", now=self.clock.now())
