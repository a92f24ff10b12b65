"""Orders over HTTP: one's own for shoppers, all of them for staff."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy.orm import Session

from transactional.core.access import CurrentActor, OptionalActor, authenticated, public, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.errors import NotFound
from transactional.core.pagination import CursorParams, Page, shape_page
from transactional.core.problems import problem_responses
from transactional.orders import schemas, service
from transactional.shipping.service import shipments_of

router = APIRouter(prefix="/v1", tags=["orders"])

EVERYBODY = [Depends(public())]
CUSTOMERS = [Depends(authenticated())]
READERS = [Depends(requires("read_orders"))]
WRITERS = [Depends(requires("write_orders"))]

Reference = Annotated[
    str,
    Path(max_length=40, description="Number of one's own order, or the id of a guest's", examples=["MLT-2026-000123"]),
]
Number = Annotated[str, Path(max_length=40, examples=["MLT-2026-000123"])]


@router.get("/orders", summary="One's own orders", dependencies=CUSTOMERS, responses=problem_responses(401, 404, 422))
def my_orders(session: ReadSession, actor: CurrentActor, cursor: CursorParams) -> Page[schemas.OrderOut]:
    """Newest first."""
    if actor.customer_id is None:
        raise NotFound("this account has no customer profile")
    return shape_page(
        *service.page_of_orders(session, cursor, customer_id=actor.customer_id), shape=schemas.OrderOut.of
    )


@router.get(
    "/orders/{order_number}",
    summary="One of one's own orders",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404),
)
def my_order(session: ReadSession, actor: OptionalActor, order_number: Reference) -> schemas.OrderDetail:
    """The order with its lines, parcels and every step so far. A guest asks by the order's id."""
    order = service.get_visible_order(session, order_number, customer_id=actor.customer_id)
    return _detail(session, order)


@router.post(
    "/orders/{order_number}/cancel",
    summary="Call off one's own order",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404, 409, 422),
)
def cancel_mine(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: OptionalActor,
    order_number: Reference,
    body: schemas.CancelIn,
) -> schemas.OrderDetail:
    """Possible until it is sent; paid money comes back."""
    order = service.get_visible_order(session, order_number, customer_id=actor.customer_id)
    service.cancel(session, order_id=order.id, actor=actor.name, reason=body.reason, now=clock.now())
    return _detail(session, order)


@router.get("/staff/orders", summary="Orders", dependencies=READERS, responses=problem_responses(401, 403, 422))
def orders(
    session: ReadSession,
    cursor: CursorParams,
    status: Annotated[service.OrderStatus | None, Query(description="Only in this status", examples=["paid"])] = None,
) -> Page[schemas.OrderOut]:
    """Newest first."""
    return shape_page(*service.page_of_orders(session, cursor, status=status), shape=schemas.OrderOut.of)


@router.get(
    "/staff/orders/{order_number}",
    summary="One order",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404),
)
def order(session: ReadSession, order_number: Number) -> schemas.OrderDetail:
    """The order with its lines, parcels and every step so far."""
    return _detail(session, _known(session, order_number))


@router.post(
    "/staff/orders/{order_number}/pack",
    summary="An order is packed",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409),
)
def pack(session: WriteSession, clock: ClockDep, actor: CurrentActor, order_number: Number) -> schemas.OrderDetail:
    """Possible when it is paid, or will be paid on delivery."""
    found = _known(session, order_number)
    service.pack(session, order_id=found.id, actor=actor.name, now=clock.now())
    return _detail(session, found)


@router.post(
    "/staff/orders/{order_number}/ship",
    summary="An order leaves",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def ship(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    order_number: Number,
    body: schemas.ShipIn,
) -> schemas.OrderDetail:
    """A packed order leaves in one parcel; its stock becomes sold."""
    found = _known(session, order_number)
    service.ship(
        session,
        order_id=found.id,
        actor=actor.name,
        carrier=body.carrier,
        tracking_number=body.tracking_number,
        weight_grams=body.weight_grams,
        now=clock.now(),
    )
    return _detail(session, found)


@router.post(
    "/staff/orders/{order_number}/deliver",
    summary="An order has arrived",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409),
)
def deliver(session: WriteSession, clock: ClockDep, actor: CurrentActor, order_number: Number) -> schemas.OrderDetail:
    """The return window starts; an order paid on delivery is paid."""
    found = _known(session, order_number)
    service.deliver(session, order_id=found.id, actor=actor.name, now=clock.now())
    return _detail(session, found)


@router.post(
    "/staff/orders/{order_number}/cancel",
    summary="Call off an order",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def cancel(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    order_number: Number,
    body: schemas.CancelIn,
) -> schemas.OrderDetail:
    """Possible until it is sent; paid money goes back."""
    found = _known(session, order_number)
    service.cancel(session, order_id=found.id, actor=actor.name, reason=body.reason, now=clock.now())
    return _detail(session, found)


def _known(session: Session, order_number: str) -> service.Order:
    found = service.find_order(session, order_number)
    if found is None:
        raise NotFound("there is no such order")
    return found


def _detail(session: Session, found: service.Order) -> schemas.OrderDetail:
    return schemas.OrderDetail.build(
        found,
        service.lines_of(session, found.id),
        service.status_history(session, found.id),
        shipments_of(session, found.id),
    )
