"""Building webhook events: the envelope, its bytes with all the oddities of the real ones, and the signature."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.entities import Json, OrderEntity, PaymentEntity, RefundEntity
from transactional.payments_standin.ids import IdGenerator

Sink = Callable[[str, str, bytes], None]
"""Takes an event's id, its name and its bytes."""

_MISSING_IN_ORDER_PAID = ("error_source", "error_step", "acquirer_data")


class EventPublisher:
    """Turns entities, as they are at this moment, into events."""

    def __init__(self, config: StandInConfig, ids: IdGenerator, sink: Sink, wanted: Callable[[], bool]) -> None:
        self._config = config
        self._ids = ids
        self._sink = sink
        self._wanted = wanted
        self._account_id = ids.next("acc")

    def payment(self, event: str, payment: PaymentEntity, *, at: int) -> None:
        """`payment.authorized`, `payment.captured` or `payment.failed`."""
        rendered = payment.render()
        if self._config.oddities and event == "payment.authorized" and payment.method == "card":
            rendered["captured"] = True
        self._publish(event, {"payment": rendered}, at)

    def order_paid(self, payment: PaymentEntity, order: OrderEntity, *, at: int) -> None:
        """`order.paid`, which one capture fires besides `payment.captured`."""
        rendered = payment.render()
        if self._config.oddities:
            for name in _MISSING_IN_ORDER_PAID:
                del rendered[name]
        self._publish("order.paid", {"payment": rendered, "order": order.render()}, at)

    def refund(self, event: str, refund: RefundEntity, payment: PaymentEntity, *, at: int) -> None:
        """`refund.created`, `refund.processed` or `refund.failed`."""
        self._publish(event, {"refund": refund.render(), "payment": payment.render()}, at)

    def _publish(self, event: str, entities: dict[str, Json], at: int) -> None:
        if not self._wanted():
            return
        envelope = {
            "entity": "event",
            "account_id": self._account_id,
            "event": event,
            "contains": list(entities),
            "payload": {name: {"entity": entity} for name, entity in entities.items()},
            "created_at": at,
        }
        self._sink(self._ids.token(), event, self._encode(envelope))

    def _encode(self, envelope: Json) -> bytes:
        if not self._config.oddities:
            return json.dumps(envelope).encode()
        return encode_oddly(envelope, self._ids)


def encode_oddly(value: Json, ids: IdGenerator) -> bytes:
    """JSON with keys in any order and with or without spaces: whoever re-serialises it never gets these bytes."""
    separators = (", ", ": ") if ids.chance() else (",", ":")
    return json.dumps(_shuffle(value, ids), separators=separators, ensure_ascii=ids.chance()).encode()


def _shuffle(value: Any, ids: IdGenerator) -> Any:
    if isinstance(value, dict):
        return {name: _shuffle(value[name], ids) for name in ids.shuffled(list(value))}
    if isinstance(value, list):
        return [_shuffle(item, ids) for item in value]
    return value


def sign(message: bytes, secret: str) -> str:
    """HMAC-SHA256 in lower-case hex."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def checkout_signature(order_id: str, payment_id: str, key_secret: str) -> str:
    """What the checkout widget hands to the browser after a success."""
    return sign(f"{order_id}|{payment_id}".encode(), key_secret)
