"""What the gateway accepts in bodies and queries; everything else is refused with its own words."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from transactional.core.money import exponent
from transactional.payments_standin.entities import Notes
from transactional.payments_standin.refusals import AMOUNT_NOT_INTEGER, AMOUNT_TOO_SMALL, Refusal, invalid_field

MINIMUM_AMOUNT = 100
_MAX_NOTES = 15
_MAX_NOTE_LENGTH = 256
_MAX_RECEIPT_LENGTH = 40
_MAX_COUNT = 100

Body = Mapping[str, Any]


def only_fields(body: Body, allowed: Collection[str]) -> None:
    """Refuse fields that the call does not know."""
    unknown = [name for name in body if name not in allowed]
    if unknown:
        raise Refusal(f"{', '.join(unknown)} is/are not required and should not be sent")


def integer(body: Body, name: str) -> int:
    """A required integer; `true` is none."""
    if name not in body or body[name] is None:
        raise invalid_field(f"The {name} field is required.", name)
    value: object = body[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid_field(AMOUNT_NOT_INTEGER if name == "amount" else f"The {name} must be an integer.", name)
    return value


def amount_of(body: Body, currency: str) -> int:
    """A required amount of at least ₹1.00; three-decimal currencies end in 0."""
    amount = integer(body, "amount")
    if amount < MINIMUM_AMOUNT:
        raise invalid_field(AMOUNT_TOO_SMALL, "amount")
    if exponent(currency) == 3 and amount % 10:
        raise invalid_field(f"The amount in {currency} must have 0 as its last digit.", "amount")
    return amount


def currency_of(body: Body) -> str:
    """A required ISO code in capitals."""
    currency = body.get("currency")
    if currency is None:
        raise invalid_field("The currency field is required.", "currency")
    if not isinstance(currency, str) or re.fullmatch("[A-Z]{3}", currency) is None:
        raise invalid_field("The selected currency is invalid.", "currency")
    return currency


def receipt_of(body: Body) -> str | None:
    """An optional text of at most 40 characters."""
    receipt = body.get("receipt")
    if receipt is None:
        return None
    if not isinstance(receipt, str):
        raise invalid_field("The receipt must be a string.", "receipt")
    if len(receipt) > _MAX_RECEIPT_LENGTH:
        raise invalid_field("The receipt may not be greater than 40 characters.", "receipt")
    return receipt


def notes_of(body: Body) -> Notes:
    """Up to 15 pairs of at most 256 characters."""
    notes = body.get("notes") or {}
    if not isinstance(notes, dict):
        raise invalid_field("The notes must be an array.", "notes")
    if len(notes) > _MAX_NOTES:
        raise invalid_field("Number of fields in notes should be less than or equal to 15.", "notes")
    rendered = {str(name): str(value) for name, value in notes.items()}
    if any(len(text) > _MAX_NOTE_LENGTH for pair in rendered.items() for text in pair):
        raise invalid_field("Notes may not be greater than 256 characters.", "notes")
    return rendered


def automatic_capture_of(body: Body) -> bool:
    """Whether payments of the order are captured by the gateway; `payment.capture` overrides the account's default."""
    payment = body.get("payment")
    if payment is None:
        return True
    if not isinstance(payment, dict) or payment.get("capture") not in {"automatic", "manual"}:
        raise invalid_field("The payment capture must be automatic or manual.", "payment")
    only_fields(payment, {"capture", "capture_options"})
    options = payment.get("capture_options") or {}
    only_fields(options, {"automatic_expiry_period", "manual_expiry_period", "refund_speed"})
    return bool(payment["capture"] == "automatic")


def window_of(query: Mapping[str, str]) -> tuple[int, int]:
    """`count` (10, at most 100) and `skip` (0) of a listing."""
    count = _whole_number(query, "count", 10)
    if not 1 <= count <= _MAX_COUNT:
        raise invalid_field("The count must be between 1 and 100.", "count")
    return count, _whole_number(query, "skip", 0)


def time_span_of(query: Mapping[str, str]) -> tuple[int, int]:
    """`from` and `to` in unix seconds, both inclusive; everything by default."""
    return _whole_number(query, "from", 0), _whole_number(query, "to", 2**62)


def _whole_number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise invalid_field(f"The {name} must be an integer.", name)
    return int(text)
