"""What the carrier demands of an order; everything else is a 422 with one text a field."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from transactional.shipping_standin.refusals import INVALID_DATA, Refusal

_MAX_REFERENCE = 50
_MAX_CITY = 30
_ALWAYS = (
    "order_id", "order_date", "pickup_location", "billing_customer_name", "billing_address", "billing_city",
    "billing_pincode", "billing_state", "billing_country", "billing_email", "billing_phone", "shipping_is_billing",
    "order_items", "payment_method", "sub_total", "length", "breadth", "height", "weight",
)  # fmt: skip
_ELSEWHERE = (
    "shipping_customer_name", "shipping_address", "shipping_city", "shipping_pincode", "shipping_country",
    "shipping_state", "shipping_phone",
)  # fmt: skip
_RETURN = (
    "order_id", "order_date", "pickup_customer_name", "pickup_address", "pickup_city", "pickup_state",
    "pickup_country", "pickup_pincode", "pickup_phone", "shipping_customer_name", "shipping_address",
    "shipping_city", "shipping_country", "shipping_pincode", "shipping_state", "shipping_phone", "order_items",
    "payment_method", "sub_total", "length", "breadth", "height", "weight",
)  # fmt: skip
_MONEY = ("sub_total", "shipping_charges", "giftwrap_charges", "transaction_charges", "total_discount")

Body = Mapping[str, Any]


def check_order(body: Body, *, locations: set[str], accepts_paise: bool) -> None:
    """Raise Refusal for an order that cannot be taken."""
    errors = _missing(body, _ALWAYS)
    if not _truth(body.get("shipping_is_billing")) and "shipping_is_billing" not in errors:
        errors |= _missing(body, _ELSEWHERE)
    errors |= _common(body, accepts_paise)
    if body.get("pickup_location") not in locations:
        errors["pickup_location"] = ["Wrong Pickup location entered."]
    if len(str(body.get("billing_city", ""))) > _MAX_CITY:
        errors["billing_city"] = [f"The billing city may not be greater than {_MAX_CITY} characters."]
    if not _is_pincode(body.get("billing_pincode")):
        errors["billing_pincode"] = ["The billing pincode must be 6 digits."]
    _refuse(errors)


def check_return(body: Body, *, accepts_paise: bool) -> None:
    """Raise Refusal for a return order that cannot be taken."""
    errors = _missing(body, _RETURN) | _common(body, accepts_paise)
    for name in ("pickup_pincode", "shipping_pincode"):
        if not _is_pincode(body.get(name)):
            errors[name] = ["The pincode must be 6 digits."]
    _refuse(errors)


def number(value: object) -> Decimal | None:
    """A number in any shape that PHP would take."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def grams_of(body: Body) -> int:
    """The declared weight."""
    return int((number(body["weight"]) or Decimal(0)) * 1_000)


def _missing(body: Body, names: tuple[str, ...]) -> dict[str, list[str]]:
    absent = [name for name in names if body.get(name) is None or body.get(name) in ("", [])]
    return {name: [f"The {name.replace('_', ' ')} field is required."] for name in absent}


def _common(body: Body, accepts_paise: bool) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if len(str(body.get("order_id", ""))) > _MAX_REFERENCE:
        errors["order_id"] = [f"The order id may not be greater than {_MAX_REFERENCE} characters."]
    if body.get("payment_method") not in {"Prepaid", "COD"}:
        errors["payment_method"] = ["The selected payment method is invalid."]
    for name, least in (("length", "0.5"), ("breadth", "0.5"), ("height", "0.5"), ("weight", "0")):
        value = number(body.get(name))
        if value is None or value <= Decimal(least):
            errors[name] = [f"The {name} must be greater than {least}."]
    for name in _MONEY:
        value = number(body.get(name, 0))
        if value is None or value < 0 or (not accepts_paise and value != int(value)):
            errors[name] = [f"The {name.replace('_', ' ')} is invalid."]
    return errors | _item_errors(body.get("order_items"))


def _item_errors(items: object) -> dict[str, list[str]]:
    if not isinstance(items, list) or not items:
        return {"order_items": ["The order items must be an array."]}
    errors: dict[str, list[str]] = {}
    for index, item in enumerate(items):
        for name in ("name", "sku", "units", "selling_price"):
            if not isinstance(item, dict) or item.get(name) in (None, ""):
                errors[f"order_items.{index}.{name}"] = [f"The {name} field is required."]
    return errors


def _refuse(errors: dict[str, list[str]]) -> None:
    if errors:
        raise Refusal(INVALID_DATA, status=422, errors=errors)


def _is_pincode(value: object) -> bool:
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) == 6 and text[0] != "0"


def _truth(value: object) -> bool:
    return value in (True, 1, "1", "true")
