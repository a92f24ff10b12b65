"""A shop that buys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from transactional.core.clock import ManualClock
from transactional.inventory import service as inventory
from transactional.inventory.service import ReorderPolicy, StockMovement
from transactional.suppliers import service
from transactional.suppliers.service import Arrived, PurchaseOrder, PurchaseOrderLine

T = TypeVar("T")


@dataclass
class Buyer:
    """What tests of procurement do again and again; every call is a unit of work of its own."""

    kit: TradeKit

    @property
    def clock(self) -> ManualClock:
        """The shop's clock."""
        clock = self.kit.database.clock
        assert isinstance(clock, ManualClock)
        return clock

    def run(self, work: Callable[[Session], T]) -> T:
        """Do something in a unit of work."""
        return self.kit.run(work)

    def ask(self, question: Callable[[Session], T]) -> T:
        """Read something."""
        with self.kit.database.read() as session:
            return question(session)

    def place_id(self) -> int:
        """The main store room."""
        return self.run(lambda s: inventory.default_location(s).id)

    def supplier(self, code: str = "TOYS", **details: Any) -> int:
        """Somebody to buy from; gives the id."""
        details.setdefault("name", code.title())
        return self.run(lambda s: service.create_supplier(s, code=code, now=self.kit.now, **details).id)

    def article(self, supplier_id: int, variant_id: int, sku: str = "CT-1", **terms: Any) -> int:
        """What a supplier sells a variant as; gives the id. Ten days and 100 rupees where nothing else is said."""
        terms = {"cost_minor": 10_000, "currency": "INR", "lead_time_days": 10} | terms
        return self.run(
            lambda s: (
                service.add_product(
                    s, supplier_id=supplier_id, supplier_sku=sku, variant_id=variant_id, now=self.kit.now, **terms
                ).id
            )
        )

    def draft(self, supplier_id: int, lines: dict[int, int], currency: str = "INR") -> int:
        """A draft with so many units per article; gives the id."""

        def work(session: Session) -> int:
            order = service.draft_order(
                session,
                supplier_id=supplier_id,
                location_id=inventory.default_location(session).id,
                currency=currency,
                now=self.kit.now,
            )
            for product_id, quantity in lines.items():
                service.set_line(
                    session,
                    purchase_order_id=order.id,
                    supplier_product_id=product_id,
                    quantity=quantity,
                    now=self.kit.now,
                )
            return order.id

        return self.run(work)

    def place(self, order_id: int) -> None:
        """Send a draft."""
        self.run(lambda s: service.place(s, purchase_order_id=order_id, now=self.kit.now).id)

    def placed(self, supplier_id: int, lines: dict[int, int]) -> int:
        """A draft that was sent; gives the id."""
        order_id = self.draft(supplier_id, lines)
        self.place(order_id)
        return order_id

    def receive(self, order_id: int, *arrived: Arrived, key: str = "dn-1", **more: Any) -> int:
        """Book a delivery; gives the receipt's id."""
        return self.run(
            lambda s: (
                service.receive_delivery(
                    s,
                    purchase_order_id=order_id,
                    arrived=arrived,
                    key=key,
                    actor="user:1",
                    now=self.kit.now,
                    **more,
                ).id
            )
        )

    def order(self, order_id: int) -> PurchaseOrder:
        """The order as it stands."""
        return self.ask(lambda s: service.get_order(s, order_id))

    def lines(self, order_id: int) -> list[PurchaseOrderLine]:
        """Its lines as they stand."""
        return self.ask(lambda s: list(service.lines_of(s, order_id)))

    def movements(self, variant_id: int) -> list[StockMovement]:
        """The variant's ledger, newest first."""
        return self.ask(lambda s: inventory.movements(s, variant_id=variant_id))

    def rules(self, variant_id: int, **rules: Any) -> None:
        """Set the rules of the variant's level in the main store room."""
        place = self.place_id()
        self.run(
            lambda s: inventory.set_rules(s, variant_id=variant_id, location_id=place, now=self.kit.now, **rules).id
        )

    def forecast(self, variant_id: int, service_level_bp: int = 9_500) -> None:
        """Let the forecast decide when to buy."""
        self.rules(variant_id, reorder_policy=ReorderPolicy.FORECAST, service_level_bp=service_level_bp)

    def sell(self, variant_id: int, quantity: int) -> None:
        """Units leave in an order."""
        self.kit.ship(self.kit.buy({variant_id: quantity}))

    def days_pass(self, days: int = 1) -> None:
        """Later."""
        self.clock.advance(timedelta(days=days))


@pytest.fixture
def buyer(kit: TradeKit) -> Buyer:
    """On SQLite."""
    return Buyer(kit)


@pytest.fixture
def pg_buyer(pg_kit: TradeKit) -> Buyer:
    """On PostgreSQL."""
    return Buyer(pg_kit)
