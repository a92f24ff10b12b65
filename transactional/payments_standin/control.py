"""The control API: what shoppers, banks, networks and time do to the gateway. Never part of the shop's adapter."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter, HTTPException

from transactional.payments_standin import schemas
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.refusals import Refusal
from transactional.payments_standin.schemas import DeliveryOut, JsonBody, WebhookOut


def control_router(gateway: Gateway) -> APIRouter:
    """Everything under `/_control/`."""
    router = APIRouter(prefix="/_control", tags=["control"])
    _add_running(router, gateway)
    _add_payments(router, gateway)
    _add_subscriptions(router, gateway)
    _add_webhooks(router, gateway)
    _add_deliveries(router, gateway)
    return router


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        raise HTTPException(refusal.status, refusal.description) from refusal
    except LookupError as missing:
        raise HTTPException(404, str(missing)) from missing
    except ValueError as impossible:
        raise HTTPException(409, str(impossible)) from impossible


def _add_running(router: APIRouter, gateway: Gateway) -> None:
    """Health, clock, switches, faults and the record of requests."""

    @router.get("/health")
    def health() -> JsonBody:
        return {"status": "ok", "key_id": gateway.config.key_id}

    @router.get("/clock")
    def clock() -> schemas.ClockOut:
        return schemas.ClockOut(now=gateway.clock.now())

    @router.post("/clock")
    def advance(body: schemas.AdvanceIn) -> schemas.ClockOut:
        with _translated_errors():
            return schemas.ClockOut(now=gateway.advance(body.by))

    @router.patch("/switches", status_code=204)
    def change(body: schemas.SwitchesIn) -> None:
        gateway.change(body.model_dump(exclude_none=True))

    @router.post("/faults", status_code=204)
    def arm_fault(body: schemas.FaultIn) -> None:
        gateway.faults.arm(body.fault, method=body.method, path_prefix=body.path_prefix, times=body.times)

    @router.delete("/faults", status_code=204)
    def disarm() -> None:
        gateway.faults.disarm()

    @router.get("/requests")
    def requests() -> list[schemas.RequestOut]:
        return [schemas.RequestOut.of(record) for record in gateway.requests()]


def _add_payments(router: APIRouter, gateway: Gateway) -> None:
    """Shoppers and banks."""

    @router.post("/orders/{order_id}/pay")
    def pay(order_id: str, body: schemas.PayIn) -> JsonBody:
        with _translated_errors():
            return gateway.pay(order_id, **body.model_dump()).render()

    @router.post("/orders/{order_id}/pay-twice")
    def pay_twice(order_id: str, body: schemas.PayTwiceIn | None = None) -> list[JsonBody]:
        captured = body is not None and body.captured
        with _translated_errors():
            return [checkout.render() for checkout in gateway.pay_twice(order_id, captured=captured)]

    @router.post("/payments/{payment_id}/authorize-late")
    def authorize_late(payment_id: str, body: schemas.LateIn) -> JsonBody:
        with _translated_errors():
            return gateway.authorize_late(payment_id, capture=body.capture).render()

    @router.post("/refunds/{refund_id}/settle")
    def settle_refund(refund_id: str, body: schemas.SettleRefundIn) -> JsonBody:
        with _translated_errors():
            return gateway.settle_refund(refund_id, body.status)


def _add_subscriptions(router: APIRouter, gateway: Gateway) -> None:
    """Customers of subscriptions and their cards."""

    @router.post("/subscriptions/{subscription_id}/authorize")
    def authorize(subscription_id: str) -> JsonBody:
        with _translated_errors():
            return gateway.authorize_subscription(subscription_id)

    @router.post("/subscriptions/{subscription_id}/charges", status_code=204)
    def decide_charges(subscription_id: str, body: schemas.ChargesIn) -> None:
        with _translated_errors():
            gateway.decide_charges(subscription_id, body.outcomes)

    @router.post("/subscriptions/{subscription_id}/recover")
    def recover(subscription_id: str) -> JsonBody:
        with _translated_errors():
            return gateway.recover_subscription(subscription_id)


def _add_webhooks(router: APIRouter, gateway: Gateway) -> None:
    """Receivers. Setting a known URL again rotates its secret."""

    @router.put("/webhook")
    def set_webhook(body: schemas.WebhookIn) -> WebhookOut:
        webhook = gateway.deliveries.set_webhook(body.url, body.secret)
        return WebhookOut(url=webhook.url, active=webhook.active)

    @router.get("/webhooks")
    def webhooks() -> list[WebhookOut]:
        return [WebhookOut(url=webhook.url, active=webhook.active) for webhook in gateway.deliveries.webhooks()]


def _add_deliveries(router: APIRouter, gateway: Gateway) -> None:
    """What the network does to events."""
    deliveries = gateway.deliveries

    @router.get("/deliveries")
    def listing() -> list[DeliveryOut]:
        return [DeliveryOut.of(delivery) for delivery in deliveries.listing()]

    @router.post("/deliveries/hold", status_code=204)
    def hold() -> None:
        deliveries.hold()

    @router.post("/deliveries/release")
    def release(body: schemas.NumbersIn) -> list[DeliveryOut]:
        with _translated_errors():
            return [DeliveryOut.of(delivery) for delivery in deliveries.release(body.numbers)]

    @router.post("/deliveries/drop", status_code=204)
    def drop(body: schemas.NumbersIn) -> None:
        with _translated_errors():
            deliveries.drop(body.numbers or [])

    @router.post("/deliveries/delay")
    def delay(body: schemas.DelayIn) -> list[DeliveryOut]:
        with _translated_errors():
            return [DeliveryOut.of(delivery) for delivery in deliveries.delay(body.numbers, body.by)]

    @router.post("/deliveries/{number}/replay")
    def replay(number: int, body: schemas.ReplayIn) -> DeliveryOut:
        with _translated_errors():
            return DeliveryOut.of(deliveries.replay(number, new_event_id=body.new_event_id))

    @router.post("/deliveries/{number}/tamper")
    def tamper(number: int, body: schemas.TamperIn) -> DeliveryOut:
        with _translated_errors():
            return DeliveryOut.of(deliveries.tamper(number, body.changes, signed=body.signed))
