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
        self._publish(event, {"payment": self._oddly(event, payment)}, at)

    def order_paid(self, payment: PaymentEntity, order: OrderEntity, *, at: int) -> None:
        """`order.paid`, which one capture fires besides `payment.captured`."""
        rendered = payment.render()
        if self._config.oddities:
            for name in _MISSING_IN_ORDER_PAID:
                del rendered[name]
        self._publish("order.paid", {"payment": rendered, "order": self._order(order)}, at)

    def refund(self, event: str, refund: RefundEntity, payment: PaymentEntity, *, at: int) -> None:
        """`refund.created`, `refund.processed`, `refund.failed` or `refund.speed_changed`."""
        inside = {"created_at": at} if self._config.oddities and event == "refund.speed_changed" else {}
        self._publish(event, {"refund": refund.render(), "payment": payment.render()}, at, inside=inside)

    def subscription(self, event: str, subscription: Json, payment: PaymentEntity | None, *, at: int) -> None:
        """`subscription.…`; with its latest payment where an attempt was made before."""
        entities = {"subscription": subscription}
        if payment is not None:
            entities["payment"] = self._oddly(event, payment)
        self._publish(event, entities, at)

    def _oddly(self, event: str, payment: PaymentEntity) -> Json:
        """A payment as real events show it now and then."""
        rendered = payment.render()
        if not (self._config.oddities and self._wanted()):
            return rendered
        if payment.method == "card":
            rendered["error_code"] = rendered["error_code"] or ""
            if event == "payment.authorized":
                rendered["captured"] = True
        if event == "subscription.charged":
            rendered["captured"] = "1"
        if self._ids.chance():
            rendered |= {"base_amount": payment.amount, "amount_transferred": 0, "provider": None, "reward": None}
        return rendered

    def _order(self, order: OrderEntity) -> Json:
        rendered = order.render()
        if self._config.oddities and self._wanted() and self._ids.chance():
            del rendered["offer_id"]
        return rendered

    def _publish(self, event: str, entities: dict[str, Json], at: int, *, inside: Json | None = None) -> None:
        """`inside` are stray values beside the entities."""
        if not self._wanted():
            return
        envelope = {
            "entity": "event",
            "account_id": self._account_id,
            "event": event,
            "contains": list(entities),
            "payload": {name: {"entity": entity} for name, entity in entities.items()} | (inside or {}),
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


def subscription_signature(payment_id: str, subscription_id: str, key_secret: str) -> str:
    """The same for a subscription, where the order of the two is swapped."""
    return sign(f"{payment_id}|{subscription_id}".encode(), key_secret)


def checkout_signature(order_id: str, payment_id: str, key_secret: str) -> str:
    """What the checkout widget hands to the browser after a success."""
    return sign(f"{order_id}|{payment_id}".encode(), key_secret)
