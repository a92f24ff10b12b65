"""Checkout over HTTP."""

from fastapi import APIRouter, Depends, Response

from transactional.checkout import schemas, service
from transactional.core.access import OptionalActor, public
from transactional.core.deps import ClockDep, SettingsDep, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.problems import problem_responses

router = APIRouter(prefix="/v1/checkout", tags=["checkout"])


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
    session: WriteSession,
    clock: ClockDep,
    settings: SettingsDep,
    actor: OptionalActor,
    replay: Idempotency,
    body: schemas.CheckoutIn,
) -> Response:
    """Prices are frozen and stock is held until `expires_at`; pay before then."""

    def make() -> schemas.PlacedOrder:
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
            now=clock.now(),
            settings=settings,
        )
        return schemas.PlacedOrder.of(order)

    return replay.answer(session, status=201, make=make)
