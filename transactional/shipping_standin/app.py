"""The thin HTTP layer over the carrier: its API under `/v1/external/`, the control API under `/_control/`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from transactional.shipping_standin.carrier import AnswerLost, ApiRequest, Carrier
from transactional.shipping_standin.entities import Order, Parcel, Scan
from transactional.shipping_standin.schemas import (
    AdvanceIn,
    ClockIn,
    DeliveryOut,
    FaultIn,
    JsonBody,
    NumbersIn,
    OrderOut,
    ReceiverIn,
    ReleaseIn,
    ReplayIn,
    RequestOut,
    ScanIn,
    ScriptIn,
    WalletIn,
)

_LOST = b"<html><body><h1>504 Gateway Time-out</h1></body></html>"
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


def create_app(carrier: Carrier) -> FastAPI:
    """The stand-in as an ASGI application."""
    app = FastAPI(title="Shiprocket stand-in", docs_url=None, redoc_url=None)
    app.include_router(_control(carrier))
    app.include_router(_parcels(carrier))
    app.include_router(_deliveries(carrier))

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
            answer = await run_in_threadpool(carrier.handle, translated)
        except AnswerLost:
            return Response(_LOST, status_code=504, media_type="text/html")
        return Response(answer.body, status_code=answer.status, media_type=answer.content_type)

    return app


def _control(carrier: Carrier) -> APIRouter:
    router = APIRouter(prefix="/_control", tags=["control"])

    @router.get("/health")
    def health() -> JsonBody:
        return {"status": "ok", "email": carrier.account.email, "log_ins": carrier.tokens.log_ins}

    @router.patch("/switches")
    def switch(body: JsonBody) -> JsonBody:
        with _translated_errors():
            carrier.switches.change(body)
        return {name: getattr(carrier.switches, name) for name in body}

    @router.post("/faults", status_code=204)
    def arm_fault(body: FaultIn) -> None:
        carrier.faults.arm(body.fault, method=body.method, path_part=body.path_part, times=body.times)

    @router.post("/tokens/expire", status_code=204)
    def expire_tokens() -> None:
        carrier.tokens.expire_all()

    @router.post("/clock/advance")
    def advance_clock(body: ClockIn) -> JsonBody:
        return {"now": carrier.clock.advance(timedelta(hours=body.hours)).isoformat()}

    @router.put("/wallet", status_code=204)
    def set_wallet(body: WalletIn) -> None:
        carrier.books.wallet_paise = body.paise

    @router.get("/requests")
    def requests() -> list[RequestOut]:
        return [
            RequestOut(at=each.at, method=each.method, path=each.path, body=each.body, status=each.status)
            for each in carrier.requests()
        ]

    return router


def _parcels(carrier: Carrier) -> APIRouter:
    router = APIRouter(prefix="/_control", tags=["parcels"])

    def parcel(awb: str) -> Parcel:
        found = carrier.books.by_awb(awb)
        if found is None:
            raise LookupError(f"there is no parcel {awb}")
        return found

    def shown(of: Parcel) -> OrderOut:
        return OrderOut.of(carrier.books.order_of(of))

    @router.get("/orders")
    def orders() -> list[OrderOut]:
        with carrier.lock:
            return [OrderOut.of(order) for order in reversed(carrier.books.orders())]

    @router.post("/orders/{order_id}/complete-cancellation")
    def complete_cancellation(order_id: int) -> OrderOut:
        with _translated_errors(), carrier.lock:
            order: Order | None = carrier.books.find_order(order_id)
            if order is None:
                raise LookupError(f"there is no order {order_id}")
            carrier.aftercare.complete_cancellation(order)
            return OrderOut.of(order)

    @router.put("/parcels/{awb}/script")
    def set_script(awb: str, body: ScriptIn) -> OrderOut:
        with _translated_errors(), carrier.lock:
            carrier.journeys.set_script(parcel(awb), body.script)
            return shown(parcel(awb))

    @router.post("/parcels/{awb}/advance")
    def advance(awb: str, body: AdvanceIn) -> OrderOut:
        with _translated_errors(), carrier.lock:
            carrier.journeys.advance(parcel(awb), body.steps)
            return shown(parcel(awb))

    @router.post("/parcels/{awb}/scans")
    def add_scan(awb: str, body: ScanIn) -> OrderOut:
        with _translated_errors(), carrier.lock:
            at = body.at or carrier.clock.now()
            scan = Scan(at, body.code, body.label, body.courier_status, body.activity, body.location)
            carrier.journeys.add(parcel(awb), scan, order_status=body.order_status)
            return shown(parcel(awb))

    return router


def _deliveries(carrier: Carrier) -> APIRouter:
    router = APIRouter(prefix="/_control/webhook", tags=["webhook"])
    webhooks = carrier.webhooks

    @router.put("", status_code=204)
    def set_receiver(body: ReceiverIn) -> None:
        with _translated_errors():
            webhooks.set_receiver(body.url, body.token)

    @router.get("/deliveries")
    def listing() -> list[DeliveryOut]:
        return [DeliveryOut.of(delivery) for delivery in webhooks.listing()]

    @router.post("/hold", status_code=204)
    def hold() -> None:
        webhooks.hold()

    @router.post("/release")
    def release(body: ReleaseIn) -> list[DeliveryOut]:
        with _translated_errors():
            return [DeliveryOut.of(each) for each in webhooks.release(body.numbers, credential=body.credential)]

    @router.post("/drop", status_code=204)
    def drop(body: NumbersIn) -> None:
        with _translated_errors():
            webhooks.drop(body.numbers)

    @router.post("/deliveries/{number}/replay")
    def replay(number: int, body: ReplayIn) -> DeliveryOut:
        with _translated_errors():
            return DeliveryOut.of(webhooks.replay(number, credential=body.credential))

    @router.post("/emit", status_code=204)
    def emit(body: JsonBody) -> None:
        webhooks.enqueue(body)

    return router


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except LookupError as missing:
        raise HTTPException(404, str(missing)) from missing
    except ValueError as impossible:
        raise HTTPException(409, str(impossible)) from impossible
