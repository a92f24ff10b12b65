"""Parcels of an order over HTTP: packed by staff, followed by the customer."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from transactional.core.access import OptionalActor, public, requires
from transactional.core.deps import ClockDep, ReadSession, SettingsDep, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.problems import problem_responses
from transactional.fulfilment import schemas, service
from transactional.orders import service as orders
from transactional.shipping import service as shipping
from transactional.shipping.service import ParcelOut

router = APIRouter(prefix="/v1", tags=["parcels"])

Number = Annotated[str, Path(max_length=40, examples=["MLT-2026-000123"])]
Reference = Annotated[
    str,
    Path(max_length=40, description="Number of one's own order, or the id of a guest's", examples=["MLT-2026-000123"]),
]


@router.post(
    "/staff/orders/{order_number}/parcels",
    summary="Pack units of an order into a parcel",
    status_code=201,
    response_model=ParcelOut,
    dependencies=[Depends(requires("write_orders"))],
    responses=problem_responses(401, 403, 404, 409, 422),
)
def pack(
    *,
    session: WriteSession,
    clock: ClockDep,
    settings: SettingsDep,
    replay: Idempotency,
    order_number: Number,
    body: schemas.ParcelIn,
) -> Response:
    """The carrier is called after the commit: courier, number, pickup, label and manifest follow by themselves."""

    def make() -> ParcelOut:
        order = orders.order_by_reference(session, order_number)
        units: dict[int, int] | None = None
        for each in body.units or []:
            units = units or {}
            units[each.order_line_id] = units.get(each.order_line_id, 0) + each.quantity
        parcel = service.pack_parcel(
            session,
            order_id=order.id,
            units=units,
            box=body.box.to_box(),
            weight_grams=body.weight_grams,
            carrier=shipping.carrier_name(settings),
            pickup_on=body.pickup_date,
            contact_phone=settings.seller_phone,
            now=clock.now(),
        )
        return ParcelOut.of(parcel)

    return replay.answer(session, status=201, make=make)


@router.get(
    "/staff/orders/{order_number}/parcels",
    summary="Parcels of an order, for staff",
    dependencies=[Depends(requires("read_orders"))],
    responses=problem_responses(401, 403, 404),
)
def parcels(session: ReadSession, order_number: Number) -> list[ParcelOut]:
    """Oldest first, those that fetch goods back included."""
    order = orders.order_by_reference(session, order_number)
    return [ParcelOut.of(parcel) for parcel in shipping.shipments_of(session, order.id)]


@router.get(
    "/orders/{order_number}/parcels",
    summary="Follow the parcels of one's order",
    dependencies=[Depends(public())],
    responses=problem_responses(401, 404),
)
def tracked(session: ReadSession, actor: OptionalActor, order_number: Reference) -> list[schemas.TrackedParcelOut]:
    """Oldest first; called off ones are left out."""
    order = orders.get_visible_order(session, order_number, customer_id=actor.customer_id)
    lines = {line.id: line for line in orders.lines_of(session, order.id)}
    shown = [
        parcel
        for parcel in shipping.shipments_of(session, order.id)
        if parcel.status is not shipping.ShipmentStatus.CANCELLED
    ]
    return [
        schemas.TrackedParcelOut.of(
            parcel, shipping.items_of(session, parcel.id), shipping.events_of(session, parcel.id), lines
        )
        for parcel in shown
    ]
