"""What the carrier remembers, and how it finds it again."""

import random
from collections.abc import Iterable

from transactional.shipping_standin.config import Account, Switches
from transactional.shipping_standin.entities import Order, Parcel
from transactional.shipping_standin.loose import Loosener
from transactional.shipping_standin.refusals import broken
from transactional.shipping_standin.times import VirtualClock


class Books:
    """All orders and parcels of the account, in memory."""

    def __init__(self, account: Account, switches: Switches, clock: VirtualClock) -> None:
        self.account = account
        self.switches = switches
        self.clock = clock
        self.loosener = Loosener(account.seed)
        self.wallet_paise = 500_000_00
        self.locations = [_location(1, account.pickup_location, account.pickup_postcode)]
        self._orders: dict[int, Order] = {}
        self._next = 16_000_000 + account.seed * 10_000
        self._random = random.Random(account.seed)  # noqa: S311  repeatable on purpose: nothing here is secret

    def number(self) -> int:
        """A new id."""
        self._next += 1
        return self._next

    def awb(self) -> str:
        """A new air waybill number; never with a leading zero, never used before."""
        return f"{self._random.randrange(10**3, 10**4)}{self.number():010d}"

    def add(self, order: Order) -> None:
        """Keep an order."""
        self._orders[order.id] = order

    def orders(self) -> list[Order]:
        """All orders, newest first, as lists show them."""
        return sorted(self._orders.values(), key=lambda order: order.id, reverse=True)

    def same_reference(self, reference: str) -> list[Order]:
        """The orders under one of our ids, oldest first."""
        return [order for order in reversed(self.orders()) if order.channel_order_id == reference]

    def order(self, order_id: object) -> Order:
        """An order by the carrier's id. Raises Refusal in PHP's words."""
        found = self._orders.get(_number(order_id))
        if found is None:
            raise broken()
        return found

    def find_order(self, order_id: object) -> Order | None:
        """The same; None for an unknown one."""
        return self._orders.get(_number(order_id))

    def parcels(self) -> Iterable[Parcel]:
        """All parcels, oldest first."""
        return (order.parcel for order in reversed(self.orders()))

    def parcel(self, shipment_id: object) -> Parcel | None:
        """A parcel by its id; None for an unknown one."""
        wanted = _number(shipment_id)
        return next((parcel for parcel in self.parcels() if parcel.id == wanted), None)

    def by_awb(self, awb: object) -> Parcel | None:
        """A parcel by its air waybill number; None for an unknown one."""
        return next((parcel for parcel in self.parcels() if parcel.awb is not None and parcel.awb == str(awb)), None)

    def order_of(self, parcel: Parcel) -> Order:
        """The order that a parcel belongs to."""
        return self._orders[parcel.order_id]


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() else -1


def _location(number: int, nickname: str, pin_code: str) -> dict[str, object]:
    return {
        "id": number,
        "pickup_location": nickname,
        "name": "My Little Things",
        "email": "care@shop.example",
        "phone": "9000000000",
        "address": "House 1, Lake Road",
        "address_2": "",
        "city": "Bengaluru",
        "state": "Karnataka",
        "country": "India",
        "pin_code": pin_code,
        "phone_verified": 1,
        "status": 2,
    }
