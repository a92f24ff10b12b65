"""Razorpay's JSON into typed snapshots, tolerant of what the gateway is known to send: `"1"`, `[]`, missing keys."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from transactional.payments.gateway import OrderSnapshot, PaymentSnapshot, RefundSnapshot
from transactional.payments.models import PaymentStatus, RefundStatus

Entity = Mapping[str, Any]


class Malformed(ValueError):
    """An entity without something that cannot be guessed."""


def order_from(entity: Entity) -> OrderSnapshot:
    """An `order` entity. Raises Malformed."""
    return OrderSnapshot(
        order_id=text(entity, "id"),
        amount_minor=integer(entity, "amount"),
        amount_paid_minor=optional_integer(entity, "amount_paid") or 0,
        currency=text(entity, "currency"),
        receipt=_optional_text(entity, "receipt"),
        status=text(entity, "status"),
        created_at=_moment(entity),
    )


def payment_from(entity: Entity) -> PaymentSnapshot:
    """A `payment` entity. Raises Malformed."""
    try:
        status = PaymentStatus(text(entity, "status"))
    except ValueError as error:
        raise Malformed(f"payment status {entity.get('status')!r} is unknown") from error
    return PaymentSnapshot(
        payment_id=text(entity, "id"),
        order_id=_optional_text(entity, "order_id"),
        amount_minor=integer(entity, "amount"),
        currency=text(entity, "currency"),
        status=status,
        method=_optional_text(entity, "method") or "unknown",
        captured=_flag(entity.get("captured")),
        refunded_minor=optional_integer(entity, "amount_refunded") or 0,
        fee_minor=optional_integer(entity, "fee"),
        fee_tax_minor=optional_integer(entity, "tax"),
        error_code=_optional_text(entity, "error_code"),
        error_description=_optional_text(entity, "error_description"),
        created_at=_moment(entity),
    )


def refund_from(entity: Entity) -> RefundSnapshot:
    """A `refund` entity. Raises Malformed."""
    try:
        status = RefundStatus(text(entity, "status"))
    except ValueError as error:
        raise Malformed(f"refund status {entity.get('status')!r} is unknown") from error
    return RefundSnapshot(
        refund_id=text(entity, "id"),
        payment_id=text(entity, "payment_id"),
        amount_minor=integer(entity, "amount"),
        currency=text(entity, "currency"),
        status=status,
        created_at=_moment(entity),
        notes=_notes(entity.get("notes")),
    )


def items_of(collection: Entity) -> list[Entity]:
    """The entities of a collection, oldest first (the gateway lists the newest first). Raises Malformed."""
    items = collection.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Malformed("a collection without items")
    # Sorting is stable: among entities of the same second the one that was listed last stays the oldest.
    oldest_first: list[Entity] = items[::-1]
    return sorted(oldest_first, key=lambda item: optional_integer(item, "created_at") or 0)


def text(entity: Entity, name: str) -> str:
    """A required text. Raises Malformed."""
    value = entity.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{name!r} is missing or no text")
    return value


def _optional_text(entity: Entity, name: str) -> str | None:
    value = entity.get(name)
    return str(value) if value not in {None, ""} else None


def integer(entity: Entity, name: str) -> int:
    """A required integer, perhaps written as a text. Raises Malformed."""
    value = optional_integer(entity, name)
    if value is None:
        raise Malformed(f"{name!r} is missing")
    return value


def optional_integer(entity: Entity, name: str) -> int | None:
    """An integer that may be missing or null. Raises Malformed."""
    value = entity.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Malformed(f"{name!r} is no integer: {value!r}")
    try:
        return int(value)
    except ValueError as error:
        raise Malformed(f"{name!r} is no integer: {value!r}") from error


def _flag(value: object) -> bool:
    return value in {True, "1", "true"} if isinstance(value, bool | int | str) else False


def _notes(value: object) -> dict[str, str]:
    return {str(name): str(note) for name, note in value.items()} if isinstance(value, dict) else {}


def _moment(entity: Entity) -> datetime:
    seconds = optional_integer(entity, "created_at") or 0
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise Malformed(f"'created_at' is no moment: {seconds}") from error
