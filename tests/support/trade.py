"""A small shop to trade in: products on the shelf, shoppers, baskets and orders, through the real services."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.cart import service as carts
from transactional.catalog import service as catalog
from transactional.catalog.service import InventoryPolicy
from transactional.checkout import service as checkout
from transactional.core.security import PasswordHasher
from transactional.core.uow import Database
from transactional.inventory import service as inventory
from transactional.loyalty import service as loyalty
from transactional.orders import service as orders
from transactional.promotions import service as promotions
from transactional.settings import Settings

T = TypeVar("T")

ADDRESS = {
    "recipient": "Aarav Śarmā",
    "phone": "+919812345678",
    "line1": "12 MG Road",
    "city": "Bengaluru",
    "state": "Karnataka",
    "postal_code": "560001",
    "country": "IN",
}

_HASHER = PasswordHasher.cheap()


def settings(**changes: Any) -> Settings:
    """The shop's default settings, whatever the environment says."""
    return Settings(var=Path("var"), DATABASE_URL="sqlite://", **changes)


@dataclass
class TradeKit:
    """What tests of trade do again and again; every call is a unit of work of its own."""

    database: Database

    @property
    def now(self) -> datetime:
        """The shop's present moment."""
        return self.database.clock.now()

    def run(self, work: Callable[[Session], T]) -> T:
        """Do something in a unit of work."""
        return self.database.run(work, actor="test")

    def variant(
        self,
        sku: str,
        *,
        price: int = 100_000,
        stock: int = 0,
        policy: InventoryPolicy = InventoryPolicy.DENY,
        tax_rate_bp: int = 1_800,
        customisable: bool = False,
        needs_approval: bool = False,
    ) -> int:
        """A product on the shelf; gives its variant's id. Prices in paise."""

        def work(session: Session) -> int:
            category = next(iter(catalog.list_categories(session)), None) or catalog.create_category(
                session, name="Gifts"
            )
            product = catalog.create_product(
                session,
                name=f"Gift {sku}",
                category_id=category.id,
                sku=sku,
                price_minor=price,
                currency="INR",
                tax_rate_bp=tax_rate_bp,
                weight_grams=250,
                inventory_policy=policy,
                is_customisable=customisable,
                needs_approval=needs_approval,
                now=self.now,
            )
            variant_id = catalog.default_variant(session, product.id).id
            if stock:
                location = inventory.default_location(session)
                inventory.receive(
                    session,
                    variant_id=variant_id,
                    location_id=location.id,
                    quantity=stock,
                    reason="opening stock",
                    now=self.now,
                )
            return variant_id

        return self.run(work)

    def customer(self, email: str = "asha@example.com") -> int:
        """A registered shopper; gives the customer's id."""
        return self.run(
            lambda session: (
                accounts.register_customer(
                    session,
                    email=email,
                    password="a long walk by the sea",
                    full_name="Asha",
                    hasher=_HASHER,
                    now=self.now,
                ).id
            )
        )

    def basket(
        self,
        lines: Mapping[int, int],
        *,
        customer_id: int | None = None,
        coupon: str | None = None,
        coupons: Sequence[str] = (),
    ) -> str:
        """A cart with so many units per variant and codes that nobody has checked; gives its public id."""

        def work(session: Session) -> str:
            cart = carts.create_cart(session, currency="INR", customer_id=customer_id, now=self.now)
            for variant_id, quantity in lines.items():
                carts.add_line(session, cart=cart, variant_id=variant_id, quantity=quantity, now=self.now)
            for code in [coupon, *coupons]:
                if code is not None:
                    carts.remember_code(session, cart=cart, code=code, now=self.now)
            return cart.public_id

        return self.run(work)

    def checkout(self, basket: str, *, customer_id: int | None = None, **more: Any) -> int:
        """Place the order of a basket; gives the order's id."""
        who: dict[str, Any] = {"customer_id": customer_id}
        if customer_id is None:
            who = {"email": more.pop("email", "guest@example.com")}
        config = more.pop("settings", None) or settings()
        return self.run(
            lambda session: (
                checkout.place_order(
                    session, cart_public_id=basket, ship_to=ADDRESS, now=self.now, settings=config, **who, **more
                ).id
            )
        )

    def buy(self, lines: Mapping[int, int], *, customer_id: int | None = None, pay: bool = True, **more: Any) -> int:
        """Basket, checkout and payment; gives the order's id."""
        codes = {name: more.pop(name) for name in ("coupon", "coupons") if name in more}
        basket = self.basket(lines, customer_id=customer_id, **codes)
        order_id = self.checkout(basket, customer_id=customer_id, **more)
        if pay:
            self.pay(order_id)
        return order_id

    def pay(self, order_id: int) -> orders.PaidOutcome:
        """The order's money arrives."""
        return self.run(lambda s: orders.mark_paid(s, order_id=order_id, paid_at=self.now, actor="test"))

    def ship(self, order_id: int) -> None:
        """Pack and send."""

        def work(session: Session) -> None:
            orders.pack(session, order_id=order_id, actor="test", now=self.now)
            orders.ship(session, order_id=order_id, actor="test", now=self.now)

        self.run(work)

    def deliver(self, order_id: int) -> None:
        """Pack, send and hand over."""
        self.ship(order_id)
        self.run(lambda s: orders.deliver(s, order_id=order_id, actor="test", now=self.now))

    def return_units(self, order_line_id: int, quantity: int) -> int:
        """Units come back with their points; gives the refund."""

        def work(session: Session) -> int:
            units = orders.register_return(session, order_line_id=order_line_id, quantity=quantity, now=self.now)
            loyalty.reverse_for_return(
                session, order_line_id=order_line_id, first=units.first, count=units.count, now=self.now
            )
            return units.refund_minor

        return self.run(work)

    def order(self, order_id: int) -> orders.Order:
        """The order as it stands."""
        with self.database.read() as session:
            return orders.get_order(session, order_id)

    def lines(self, order_id: int) -> list[orders.OrderLine]:
        """The order's lines as they stand."""
        with self.database.read() as session:
            return list(orders.lines_of(session, order_id))

    def level(self, variant_id: int) -> tuple[int, int]:
        """(on hand, reserved) over all locations."""
        with self.database.read() as session:
            found = inventory.levels(session, variant_id=variant_id)
        return sum(level.on_hand for level in found), sum(level.reserved for level in found)

    def coupon(self, code: str, *, percent_bp: int = 1_000, **more: Any) -> None:
        """A percentage coupon that has begun."""
        more.setdefault("starts_at", self.now - timedelta(days=1))
        self.run(lambda s: promotions.create_percentage_coupon(s, code=code, percent_bp=percent_bp, **more).id)

    def coupon_uses(self, code: str) -> int:
        """The code's counter."""
        with self.database.read() as session:
            return promotions.get_coupon(session, code)[1].used

    def give_points(self, customer_id: int, points: int) -> None:
        """Points that can be spent at once."""
        self.run(
            lambda s: (
                loyalty.adjust(
                    s, customer_id=customer_id, points=points, actor="test", reason="for the test", now=self.now
                ).id
            )
        )

    def points(self, customer_id: int) -> loyalty.Balance:
        """The customer's points now."""
        with self.database.read() as session:
            return loyalty.balance(session, customer_id, now=self.now)

    def count(self, model: Any, *where: Any) -> int:
        """Rows of a table."""
        with self.database.read() as session:
            return int(session.scalar(select(func.count()).select_from(model).where(*where)) or 0)

    def assert_sound(self) -> None:
        """Every ledger proves its balances."""
        with self.database.read() as session:
            assert inventory.discrepancies(session) == []
            assert promotions.counter_discrepancies(session) == []
            assert loyalty.discrepancies(session) == []
