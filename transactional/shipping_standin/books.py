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
        self._by_reference: dict[str, list[Order]] = {}
        self._parcels: dict[int, Parcel] = {}
        self._by_awb: dict[str, Parcel] = {}
        self.awaiting_awb: list[Parcel] = []
        """Parcels whose number shows itself at the next look."""
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
        """Keep an order; later ones have higher ids."""
        self._orders[order.id] = order
        self._by_reference.setdefault(order.channel_order_id, []).append(order)
        self._parcels[order.parcel.id] = order.parcel

    def give_awb(self, parcel: Parcel) -> None:
        """A parcel gets a number; an earlier one still leads to it."""
        parcel.awb = self.awb()
        self._by_awb[parcel.awb] = parcel

    def orders(self) -> list[Order]:
        """All orders, newest first, as lists show them."""
        return list(reversed(self._orders.values()))

    def found(self, search: str) -> list[Order]:
        """The orders under one of our ids or an air waybill number, newest first."""
        parcel = self._by_awb.get(search)
        of_parcel = [self.order_of(parcel)] if parcel is not None else []
        return [*reversed(self.same_reference(search)), *of_parcel]

    def same_reference(self, reference: str) -> list[Order]:
        """The orders under one of our ids, oldest first."""
        return list(self._by_reference.get(reference, ()))

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
        return self._parcels.values()

    def parcel(self, shipment_id: object) -> Parcel | None:
        """A parcel by its id; None for an unknown one."""
        return self._parcels.get(_number(shipment_id))

    def by_awb(self, awb: object) -> Parcel | None:
        """A parcel by its air waybill number; None for an unknown one."""
        return self._by_awb.get(str(awb))

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
