"""Checkout over HTTP: an order, and with it its payment, in one request."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from transactional.checkout import paying, schemas, service
from transactional.core.access import OptionalActor, public
from transactional.core.deps import ClockDep, SettingsDep, WriterDep
from transactional.core.idempotency import Idempotency
from transactional.core.problems import problem_responses
from transactional.payments.service import (
    GatewayOrder,
    PaymentGateway,
    StartedPaymentOut,
    gateway_of_process,
    request_for_new_order,
)

router = APIRouter(prefix="/v1/checkout", tags=["checkout"])


Gateway = Annotated[PaymentGateway, Depends(gateway_of_process)]


@router.post(
    "",
    summary="Place the order of a cart",
    status_code=201,
    response_model=schemas.PlacedOrder,
    dependencies=[Depends(public())],
    responses=problem_responses(401, 404, 409, 422),
)
def place_order(
    *,
    writer: WriterDep,
    clock: ClockDep,
    settings: SettingsDep,
    gateway: Gateway,
    actor: OptionalActor,
    replay: Idempotency,
    body: schemas.CheckoutIn,
) -> Response:
    """Prices are frozen and stock is held until `expires_at`; pay before then.

    With `start_payment` the gateway is asked after the order is committed, so that no order hangs on its answer.
    """
    now = clock.now()
    request: GatewayOrder | None = None
    with writer.unit_of_work() as session:

        def make() -> schemas.PlacedOrder:
            nonlocal request
            order = service.place_order(
                session,
                cart_public_id=body.cart_id,
                customer_id=actor.customer_id,
                email=body.email,
                ship_to=body.ship_to.model_dump(exclude_none=True),
                redeem_points=body.redeem_points,
                occasion=body.occasion,
                gift_message=body.gift_message,
                payment_mode=body.payment_mode,
                shown_total_minor=body.shown_total_minor,
                phone=body.phone,
                is_staff=bool(actor.permissions),
                visitor_id=body.visitor_id,
                referral_code=body.referral_code,
                now=now,
                settings=settings,
            )
            if body.start_payment:
                request = request_for_new_order(session, order=order, gateway=gateway.name, now=now)
            return schemas.PlacedOrder.of(order)

        answer = replay.once(session, status=201, make=make)
    placed = schemas.PlacedOrder.model_validate_json(answer.body)
    started: GatewayOrder | None = None
    if request is not None:
        started = paying.started_payment(writer.database, gateway, request=request)
    elif answer.replayed and body.start_payment:
        started = paying.payment_started_before(writer.database, gateway, order_public_id=placed.id, now=now)
    if started is not None:
        placed.payment = StartedPaymentOut.of(started, key_id=gateway.key_id)
    return answer.response(placed.model_dump_json().encode())
