"""A shop with a gift on the shelf, and the carrier's stand-in behind the real client."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from tests.support.trade import ADDRESS, TradeKit, settings
from transactional.core import outbox
from transactional.core.clock import ManualClock
from transactional.core.uow import Database
from transactional.fulfilment import service as fulfilment
from transactional.orders import service as orders
from transactional.settings import Settings
from transactional.shipping import inbox, provider, reading, tracking
from transactional.shipping.carrier import Carrier as CarrierPort
from transactional.shipping.models import Shipment, ShipmentEvent, ShipmentStatus
from transactional.shipping.service import Box, carrier_in_use
from transactional.shipping.shiprocket import Shiprocket
from transactional.shipping_standin.carrier import Carrier
from transactional.shipping_standin.entities import Order as CarrierOrder
from transactional.shipping_standin.entities import Parcel
from transactional.shipping_standin.transport import InProcessTransport

BOX = Box(200, 150, 100)
TOKEN = "webhook-token-of-the-test"


def carrier_settings(standin: Carrier, **changes: object) -> Settings:
    """The shop's settings with the stand-in's account."""
    return settings(
        shiprocket_base_url="http://carrier/v1/external",
        shiprocket_email=standin.account.email,
        shiprocket_password=SecretStr(standin.account.password),
        parcel_webhook_token=SecretStr(TOKEN),
        **changes,
    )


def connect(standin: Carrier, database: Database) -> Shiprocket:
    """The real client, in-process; it does not wait between tries."""
    return provider.build(
        carrier_settings(standin), database, transport=InProcessTransport(standin), pause=lambda _: None
    )


@dataclass
class Depot:
    """Everything that a parcel test touches."""

    kit: TradeKit
    clock: ManualClock
    standin: Carrier
    carrier: Shiprocket
    variant_id: int

    @property
    def database(self) -> Database:
        return self.kit.database

    def in_use(self) -> AbstractContextManager[CarrierPort]:
        return carrier_in_use(self.carrier)

    def order(self, quantity: int = 1, *, mode: str = "online") -> int:
        """An order that is ready to be sent; gives its id."""
        order_id = self.kit.buy({self.variant_id: quantity}, payment_mode=mode, pay=mode == "online")
        self.kit.run(lambda s: orders.pack(s, order_id=order_id, actor="test", now=self.kit.now).id)
        return order_id

    def pack(
        self,
        order_id: int,
        units: Mapping[int, int] | None = None,
        *,
        carrier: str = "shiprocket",
        contact_phone: str | None = None,
    ) -> int:
        """Put units into a parcel; gives its id. Nothing has been asked of the carrier yet."""
        return self.kit.run(
            lambda session: (
                fulfilment.pack_parcel(
                    session,
                    order_id=order_id,
                    units=units,
                    box=BOX,
                    weight_grams=400,
                    carrier=carrier,
                    contact_phone=contact_phone,
                    now=self.kit.now,
                ).id
            )
        )

    def work(self, *, patience: timedelta = timedelta(0)) -> None:
        """Let the worker do what is due, also what comes due while the clock moves on."""
        outbox.drain(self.database)
        for _ in range(12 if patience else 0):
            self.clock.advance(patience / 12)
            outbox.drain(self.database)

    def send(self, quantity: int = 1, *, script: str = "normal", mode: str = "online") -> int:
        """A parcel that waits for its courier; gives its id."""
        parcel_id = self.pack(self.order(quantity, mode=mode))
        self.work()
        parcel = self.parcel(parcel_id)
        assert parcel.manifest_url is not None, parcel.halted_reason
        self.standin.journeys.set_script(self.at_carrier(parcel_id), script)
        return parcel_id

    def parcel(self, parcel_id: int) -> Shipment:
        with self.database.read() as session:
            return reading.get_shipment(session, parcel_id)

    def events(self, parcel_id: int) -> list[ShipmentEvent]:
        with self.database.read() as session:
            return list(tracking.events_of(session, parcel_id))

    def at_carrier(self, parcel_id: int) -> Parcel:
        """The carrier's own view of a parcel that has a number."""
        found = self.standin.books.by_awb(self.parcel(parcel_id).tracking_number)
        assert found is not None
        return found

    def live_orders(self) -> list[CarrierOrder]:
        """What the carrier believes that it has to carry."""
        return [order for order in self.standin.books.orders() if not order.is_cancelled]

    def advance(self, parcel_id: int, steps: int = 1) -> None:
        """Scans happen, an hour apart; their webhooks wait in the stand-in."""
        for _ in range(steps):
            self.clock.advance(timedelta(hours=1))
            self.standin.journeys.advance(self.at_carrier(parcel_id))

    def tell(self, body: bytes) -> None:
        """A webhook arrives; the worker does not run yet."""
        self.kit.run(lambda s: inbox.receive(s, raw=body, now=self.kit.now))

    def tell_all(self) -> None:
        """Every webhook that the stand-in has so far arrives, and the worker runs."""
        for delivery in self.standin.webhooks.listing():
            self.tell(delivery.body)
        self.work()

    def status(self, parcel_id: int) -> ShipmentStatus:
        return self.parcel(parcel_id).status

    def order_of(self, parcel_id: int) -> orders.Order:
        return self.kit.order(self.parcel(parcel_id).order_id)


def open_depot(kit: TradeKit, clock: ManualClock) -> Depot:
    """A depot over an empty shop."""
    standin = Carrier(clock=clock)
    variant_id = kit.variant("LAMP", price=33_333, stock=100)
    return Depot(kit, clock, standin, connect(standin, kit.database), variant_id)


__all__ = ["ADDRESS", "BOX", "TOKEN", "Depot", "carrier_settings", "connect", "open_depot"]
