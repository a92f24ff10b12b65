"""The thin HTTP layer over the gateway: its API under `/v1/`, the control API under `/_control/`."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from transactional.payments_standin.gateway import AnswerLost, ApiRequest, Gateway
from transactional.payments_standin.refusals import Refusal
from transactional.payments_standin.schemas import (
    DeliveryOut,
    FaultIn,
    JsonBody,
    LateIn,
    NumbersIn,
    PayIn,
    ReplayIn,
    RequestOut,
    SettleRefundIn,
    WebhookIn,
    WebhookOut,
)

_LOST = b"<html><body><h1>504 Gateway Time-out</h1></body></html>"
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


def create_app(gateway: Gateway) -> FastAPI:
    """The stand-in as an ASGI application."""
    app = FastAPI(title="Razorpay stand-in", docs_url=None, redoc_url=None)
    app.include_router(_control(gateway))

    @app.api_route("/{path:path}", methods=_METHODS, include_in_schema=False)
    async def api(request: Request) -> Response:
        translated = ApiRequest(
            method=request.method,
            path=request.url.path,
            query=dict(request.query_params),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.body(),
        )
        try:
            answer = await run_in_threadpool(gateway.handle, translated)
        except AnswerLost:
            return Response(_LOST, status_code=504, media_type="text/html")
        return Response(answer.body, status_code=answer.status, media_type=answer.content_type)

    return app


def _control(gateway: Gateway) -> APIRouter:
    router = APIRouter(prefix="/_control", tags=["control"])

    @router.get("/health")
    def health() -> JsonBody:
        return {"status": "ok", "key_id": gateway.config.key_id}

    @router.post("/orders/{order_id}/pay")
    def pay(order_id: str, body: PayIn) -> JsonBody:
        with _translated_errors():
            return gateway.pay(order_id, **body.model_dump()).render()

    @router.post("/orders/{order_id}/pay-twice")
    def pay_twice(order_id: str) -> list[JsonBody]:
        with _translated_errors():
            return [checkout.render() for checkout in gateway.pay_twice(order_id)]

    @router.post("/payments/{payment_id}/authorize-late")
    def authorize_late(payment_id: str, body: LateIn) -> JsonBody:
        with _translated_errors():
            return gateway.authorize_late(payment_id, capture=body.capture).render()

    @router.post("/refunds/{refund_id}/settle")
    def settle_refund(refund_id: str, body: SettleRefundIn) -> JsonBody:
        with _translated_errors():
            return gateway.settle_refund(refund_id, body.status)

    @router.put("/webhook")
    def set_webhook(body: WebhookIn) -> WebhookOut:
        webhook = gateway.deliveries.set_webhook(body.url, body.secret)
        return WebhookOut(url=webhook.url, active=webhook.active)

    @router.get("/webhooks")
    def webhooks() -> list[WebhookOut]:
        return [WebhookOut(url=webhook.url, active=webhook.active) for webhook in gateway.deliveries.webhooks()]

    @router.get("/requests")
    def requests() -> list[RequestOut]:
        return [
            RequestOut(
                at=record.at.isoformat(),
                method=record.method,
                path=record.path,
                idempotency_key=record.idempotency_key,
                body=record.body,
                status=record.status,
            )
            for record in gateway.requests()
        ]

    @router.post("/faults", status_code=204)
    def arm_fault(body: FaultIn) -> None:
        gateway.faults.arm(body.fault, method=body.method, path_prefix=body.path_prefix, times=body.times)

    _add_delivery_routes(router, gateway)
    return router


def _add_delivery_routes(router: APIRouter, gateway: Gateway) -> None:
    deliveries = gateway.deliveries

    @router.get("/deliveries")
    def listing() -> list[DeliveryOut]:
        return [DeliveryOut.of(delivery) for delivery in deliveries.listing()]

    @router.post("/deliveries/hold", status_code=204)
    def hold() -> None:
        deliveries.hold()

    @router.post("/deliveries/release")
    def release(body: NumbersIn) -> list[DeliveryOut]:
        with _translated_errors():
            return [DeliveryOut.of(delivery) for delivery in deliveries.release(body.numbers)]

    @router.post("/deliveries/drop", status_code=204)
    def drop(body: NumbersIn) -> None:
        with _translated_errors():
            deliveries.drop(body.numbers or [])

    @router.post("/deliveries/{number}/replay")
    def replay(number: int, body: ReplayIn) -> DeliveryOut:
        with _translated_errors():
            return DeliveryOut.of(deliveries.replay(number, new_event_id=body.new_event_id))


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
