"""What the gateway accepts in bodies and queries; everything else is refused with its own words."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from transactional.core.money import exponent
from transactional.payments_standin.entities import Notes
from transactional.payments_standin.refusals import AMOUNT_NOT_INTEGER, AMOUNT_TOO_SMALL, Refusal, invalid_field

MINIMUM_AMOUNT = 100
_MAX_NOTES = 15
_MAX_NOTE_LENGTH = 256
_MAX_RECEIPT_LENGTH = 40
_MAX_COUNT = 100
_SHORTEST_PERIOD = 12
_LONGEST_PERIOD = 3 * 24 * 60

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


@dataclass(frozen=True, slots=True)
class CaptureTerms:
    """Who captures the payments of an order, and until when."""

    automatic: bool = True
    automatic_expiry: timedelta | None = None
    manual_expiry: timedelta | None = None


def capture_terms_of(body: Body) -> CaptureTerms:
    """`payment.capture` and its options, which override the account's default of automatic capture."""
    payment = body.get("payment")
    if payment is None:
        return CaptureTerms()
    if not isinstance(payment, dict) or payment.get("capture") not in {"automatic", "manual"}:
        raise invalid_field("The payment capture must be automatic or manual.", "payment")
    only_fields(payment, {"capture", "capture_options"})
    options = payment.get("capture_options") or {}
    if not isinstance(options, dict):
        raise invalid_field("The capture options must be an array.", "payment")
    only_fields(options, {"automatic_expiry_period", "manual_expiry_period", "refund_speed"})
    if options.get("refund_speed") not in {None, "normal", "optimum"}:
        raise invalid_field("The refund_speed must be normal or optimum.", "refund_speed")
    return CaptureTerms(
        automatic=payment["capture"] == "automatic",
        automatic_expiry=_period(options, "automatic_expiry_period"),
        manual_expiry=_period(options, "manual_expiry_period"),
    )


def _period(options: Body, name: str) -> timedelta | None:
    """A capture time-out in minutes: 12 minutes to 3 days."""
    if options.get(name) is None:
        return None
    minutes = integer(options, name)
    if not _SHORTEST_PERIOD <= minutes <= _LONGEST_PERIOD:
        raise invalid_field(f"The {name} must be between {_SHORTEST_PERIOD} and {_LONGEST_PERIOD}.", name)
    return timedelta(minutes=minutes)


def flag_of(body: Body, name: str, *, default: bool) -> bool:
    """An optional truth value; 0 and 1 count as such."""
    value = body.get(name)
    if value is None:
        return default
    if value not in {0, 1}:
        raise invalid_field(f"The {name} field must be true or false.", name)
    return bool(value)


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
