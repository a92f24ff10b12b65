"""Payments over HTTP: started and verified by shoppers, reported by the gateway, looked after by staff."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response
from sqlalchemy.orm import Session

from transactional.core.access import CurrentActor, OptionalActor, public, requires
from transactional.core.deps import ClockDep, DatabaseDep, ReadSession, WriteSession
from transactional.core.errors import Unavailable
from transactional.core.idempotency import Idempotency
from transactional.core.problems import problem_responses
from transactional.core.rawbody import RawBody
from transactional.orders import service as orders
from transactional.payments import cash, inbox, schemas, service
from transactional.payments.figures import order_figures
from transactional.payments.gateway import GatewayError, PaymentGateway, SignatureInvalid
from transactional.payments.provider import gateway_of_process
from transactional.payments.verification import BadSignature, verify_checkout

router = APIRouter(prefix="/v1", tags=["payments"])

EVERYBODY = [Depends(public())]
READERS = [Depends(requires("read_payments"))]
REFUNDERS = [Depends(requires("write_refunds"))]


Gateway = Annotated[PaymentGateway, Depends(gateway_of_process)]
Reference = Annotated[
    str,
    Path(max_length=40, description="Number of one's own order, or the id of a guest's", examples=["MLT-2026-000123"]),
]
Number = Annotated[str, Path(max_length=40, examples=["MLT-2026-000123"])]


@router.post(
    "/orders/{order_number}/payments",
    summary="Start the payment of an order",
    status_code=201,
    response_model=schemas.StartedPaymentOut,
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404, 409, 422),
)
def start_payment(
    *,
    database: DatabaseDep,
    clock: ClockDep,
    gateway: Gateway,
    actor: OptionalActor,
    replay: Idempotency,
    order_number: Reference,
) -> Response:
    """Gives what the gateway's checkout widget needs. Starting again gives the same payment to pay."""
    with database.read() as session:
        order = orders.get_visible_order(session, order_number, customer_id=actor.customer_id)
    try:
        request = service.start_payment(database, order_id=order.id, gateway=gateway, now=clock.now())
    except GatewayError as error:
        raise Unavailable("the payment cannot be started just now; try again in a moment") from error
    started = schemas.StartedPaymentOut.of(request, key_id=gateway.key_id)
    # The call to the gateway lies behind us: only now may a transaction be open.
    return database.run(lambda session: replay.answer(session, status=201, make=lambda: started), actor=actor.name)


@router.get(
    "/orders/{order_number}/payments",
    summary="Where the money of an order stands",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404),
)
def my_payments(session: ReadSession, actor: OptionalActor, order_number: Reference) -> schemas.MyPaymentsOut:
    """What is due, every attempt to pay, and what goes back. Ask again after a checkout until nothing is due."""
    order = orders.get_visible_order(session, order_number, customer_id=actor.customer_id)
    figures = order_figures(session, order_id=order.id)
    return schemas.MyPaymentsOut(
        currency=order.currency,
        due_minor=orders.amount_due(session, order.id),
        paid_minor=figures.captured_minor,
        refunded_minor=figures.refunded_minor,
        refund_pending_minor=figures.refunded_pending_minor,
        attempts=[
            schemas.AttemptOut.model_validate(each) for each in service.payments_of_order(session, order_id=order.id)
        ],
        refunds=[
            schemas.GivenBackOut.model_validate(each) for each in service.refunds_of_order(session, order_id=order.id)
        ],
    )


@router.post(
    "/payments/verify",
    summary="Report a finished checkout",
    response_model=schemas.VerificationOut,
    dependencies=EVERYBODY,
    responses=problem_responses(400, 404, 409, 422),
)
def verify(database: DatabaseDep, gateway: Gateway, body: schemas.VerifyIn) -> Response:
    """The signature is the proof, so nobody need be logged in. Repeating it changes nothing."""
    verified = verify_checkout(
        database,
        gateway,
        gateway_order_id=body.razorpay_order_id,
        gateway_payment_id=body.razorpay_payment_id,
        signature=body.razorpay_signature,
    )
    shown = schemas.VerificationOut(
        order_number=verified.order.order_number,
        order_status=verified.order.status,
        payment_status=verified.payment.status if verified.payment else None,
    )
    # Every purchase ends here: a ready answer saves the framework a second trip to the thread pool to check it.
    return Response(shown.model_dump_json(), media_type="application/json")


def verified_webhook(
    gateway: Gateway,
    raw: RawBody,
    signature: Annotated[
        str | None, Header(alias="X-Razorpay-Signature", description="HMAC-SHA256 of the raw body, in hex")
    ] = None,
) -> bytes:
    """The raw body of a webhook, once its signature is checked: before any session is opened for it."""
    if not gateway.accepts_webhooks:
        raise Unavailable("no webhook secret is configured: webhooks are not accepted")
    try:
        gateway.verify_webhook(raw, signature)
    except SignatureInvalid as error:
        raise BadSignature(str(error)) from error
    return raw


@router.post(
    "/webhooks/razorpay",
    summary="Take in an event of the gateway",
    dependencies=EVERYBODY,
    responses=problem_responses(400, 413, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object"},
                    "example": {"entity": "event", "event": "payment.captured", "contains": ["payment"], "payload": {}},
                }
            },
        }
    },
)
def razorpay_webhook(
    raw: Annotated[bytes, Depends(verified_webhook)],
    database: DatabaseDep,
    event_id: Annotated[str | None, Header(alias="X-Razorpay-Event-Id", examples=["EmxRPmYHMsQvyC"])] = None,
) -> schemas.WebhookOut:
    """Stored with the message that will process it; an event that is here already changes nothing."""

    def store(session: Session) -> bool:
        return inbox.receive(session, raw=raw, event_id=event_id, now=database.clock.now())

    return schemas.WebhookOut(new=database.run(store, actor="razorpay"))


@router.get(
    "/staff/orders/{order_number}/payments",
    summary="Payments and refunds of an order",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404),
)
def order_payments(session: ReadSession, order_number: Number) -> schemas.OrderPaymentsOut:
    """Oldest first."""
    order = orders.order_by_reference(session, order_number)
    return schemas.OrderPaymentsOut(
        figures=schemas.OrderFiguresOut.of(order_figures(session, order_id=order.id)),
        payments=[schemas.PaymentOut.of(each) for each in service.payments_of_order(session, order_id=order.id)],
        refunds=[schemas.RefundOut.of(each) for each in service.refunds_of_order(session, order_id=order.id)],
    )


@router.post(
    "/staff/orders/{order_number}/refunds",
    summary="Give money back",
    status_code=201,
    response_model=schemas.RefundOut,
    dependencies=REFUNDERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def refund(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    order_number: Number,
    body: schemas.RefundIn,
) -> Response:
    """Of what was captured and has not gone back; the gateway is told after the commit.

    An order that has not left and of which nothing is kept any more is called off, unless `send_all_the_same`.
    """

    def make() -> schemas.RefundOut:
        order = orders.order_by_reference(session, order_number)
        ordered = service.refund_by_staff(
            session,
            order_id=order.id,
            amount_minor=body.amount_minor,
            reason=body.reason,
            idempotency_key=f"staff:{replay.subject}:{replay.key}",
            send_all_the_same=body.send_all_the_same,
            actor=actor.name,
            now=clock.now(),
        )
        return schemas.RefundOut.of(ordered)

    return replay.answer(session, status=201, make=make)


@router.post(
    "/staff/refunds/{refund_id}/confirm",
    summary="A refund in cash was paid out",
    dependencies=REFUNDERS,
    responses=problem_responses(401, 403, 404, 409),
)
def confirm_refund(
    session: WriteSession, clock: ClockDep, refund_id: Annotated[int, Path(gt=0, examples=[9])]
) -> schemas.RefundOut:
    """Only for orders that were paid at the door: the gateway's refunds confirm themselves."""
    return schemas.RefundOut.of(cash.confirm_cash_refund(session, refund_id=refund_id, now=clock.now()))
