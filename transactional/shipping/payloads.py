"""A consignment in the carrier's words: rupees, kilograms, centimetres, its lengths of fields."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from transactional.shipping import scalars
from transactional.shipping.carrier import Address, Consignment, Item

_MAX_CITY = 30
_MAX_LINE = 190
_COUNTRIES = {"IN": "India"}
_PHONE_DIGITS = 10


def accepted_totals(consignment: Consignment) -> tuple[int, int]:
    """What the order may be worth at the carrier: exactly, and with the goods rounded up to whole rupees."""
    whole = -(-consignment.goods_minor // 100) * 100
    return consignment.total_minor, whole + consignment.charges_minor


def adhoc_order(consignment: Consignment, pickup_location: str) -> dict[str, Any]:
    """The body of `POST /orders/create/adhoc`."""
    return {
        **_head(consignment),
        "pickup_location": pickup_location,
        **_person(consignment.address, "billing"),
        "shipping_is_billing": True,
        "shipping_charges": scalars.rupees(max(consignment.charges_minor, 0)),
        "total_discount": scalars.rupees(max(-consignment.charges_minor, 0)),
    }


def return_order(consignment: Consignment, home: Mapping[str, Any]) -> dict[str, Any]:
    """The body of `POST /orders/create/return`: fetched from the customer, brought to our pickup location."""
    return {
        **_head(consignment),
        **_person(consignment.address, "pickup"),
        "shipping_customer_name": home.get("name"),
        "shipping_address": home.get("address"),
        "shipping_city": home.get("city"),
        "shipping_country": home.get("country"),
        "shipping_pincode": str(home.get("pin_code")),
        "shipping_state": home.get("state"),
        "shipping_email": home.get("email"),
        "shipping_phone": home.get("phone"),
    }


def _head(consignment: Consignment) -> dict[str, Any]:
    box = consignment.box
    return {
        "order_id": consignment.reference,
        "order_date": consignment.placed_at.astimezone(scalars.INDIA).strftime("%Y-%m-%d %H:%M"),
        "order_items": _items(consignment.items),
        "payment_method": "COD" if consignment.cod else "Prepaid",
        "sub_total": scalars.rupees(consignment.goods_minor),
        "length": scalars.centimetres(box.length_mm),
        "breadth": scalars.centimetres(box.width_mm),
        "height": scalars.centimetres(box.height_mm),
        "weight": scalars.kilograms(consignment.weight_grams),
    }


def _person(address: Address, prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}_customer_name": address.name,
        f"{prefix}_last_name": "",
        f"{prefix}_address": address.line1[:_MAX_LINE],
        f"{prefix}_address_2": address.line2[:_MAX_LINE],
        f"{prefix}_city": address.city[:_MAX_CITY],
        f"{prefix}_pincode": address.postal_code,
        f"{prefix}_state": address.state or address.city,
        f"{prefix}_country": _COUNTRIES.get(address.country.upper(), address.country),
        f"{prefix}_email": address.email,
        f"{prefix}_phone": re.sub(r"\D", "", address.phone)[-_PHONE_DIGITS:],
    }


def _items(items: Sequence[Item]) -> list[dict[str, Any]]:
    """One row an article and price: where the paise do not divide evenly, some units cost one more."""
    rows = []
    for item in items:
        each, dearer = divmod(item.value_minor, item.quantity)
        for quantity, price in ((item.quantity - dearer, each), (dearer, each + 1)):
            if quantity:
                row = {
                    "name": item.title,
                    "sku": item.sku,
                    "units": quantity,
                    "selling_price": scalars.rupees(price),
                }
                rows.append(row if item.hsn_code is None else {**row, "hsn": item.hsn_code})
    return rows
