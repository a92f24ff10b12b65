"""Orders over HTTP for staff: what they see, and what they do with an order."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from transactional.core.access import CurrentActor, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, shape_page
from transactional.core.problems import problem_responses
from transactional.orders import schemas, service, views
from transactional.orders.change_schemas import ChangeIn, ChangeOut
from transactional.orders.timeline import Audience, timeline
from transactional.orders.verification import page_of_differences

router = APIRouter(prefix="/v1/staff", tags=["orders"])

READERS = [Depends(requires("read_orders"))]
WRITERS = [Depends(requires("write_orders"))]

Number = Annotated[str, Path(max_length=40, examples=["MLT-2026-000123"])]
ChangeId = Annotated[str, Path(max_length=40, examples=["chg_7h2k9m4q1x8c5v3b6n0z7w2r4t"])]


@router.get("/orders", summary="Orders", dependencies=READERS, responses=problem_responses(401, 403, 422))
def orders(
    session: ReadSession,
    cursor: CursorParams,
    status: Annotated[service.OrderStatus | None, Query(description="Only in this status", examples=["paid"])] = None,
) -> Page[schemas.OrderOut]:
    """Newest first."""
    return shape_page(*service.page_of_orders(session, cursor, status=status), shape=schemas.OrderOut.of)


@router.get(
    "/orders/{order_number}",
    summary="One order",
    response_model=schemas.OrderDetail,
    dependencies=READERS,
    responses={**problem_responses(401, 403, 404), 304: {"description": "The client has it already (`If-None-Match`)"}},
)
def order(request: Request, session: ReadSession, order_number: Number) -> Response:
    """The order with its lines, parcels, stages and every step so far, with an ETag."""
    return views.with_etag(request, views.detail(session, service.order_by_reference(session, order_number)))


@router.get(
    "/orders/{order_number}/timeline",
    summary="What happened to an order",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404),
)
def order_timeline(session: ReadSession, order_number: Number) -> list[schemas.StaffEntryOut]:
    """Everything, with who did it and why, and how the money was decided."""
    found = service.order_by_reference(session, order_number)
    return [schemas.StaffEntryOut.of(entry) for entry in timeline(session, found.id, audience=Audience.STAFF)]


@router.get(
    "/order-differences",
    summary="Orders that are not what their history says",
    dependencies=READERS,
    responses=problem_responses(401, 403, 422),
)
def differences(session: ReadSession, cursor: CursorParams) -> Page[schemas.DifferenceOut]:
    """What the nightly check found and nobody has mended yet, newest first."""
    return shape_page(*page_of_differences(session, cursor), shape=schemas.DifferenceOut.of)


@router.post(
    "/orders/{order_number}/pack",
    summary="An order is packed",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409),
)
def pack(session: WriteSession, clock: ClockDep, actor: CurrentActor, order_number: Number) -> schemas.OrderDetail:
    """Possible when it is paid, or will be paid on delivery."""
    found = service.order_by_reference(session, order_number)
    service.pack(session, order_id=found.id, actor=actor.name, now=clock.now())
    return views.detail(session, found)


@router.post(
    "/orders/{order_number}/ship",
    summary="An order, or a part of it, leaves",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def ship(
    *, session: WriteSession, clock: ClockDep, actor: CurrentActor, order_number: Number, body: schemas.ShipIn
) -> schemas.OrderDetail:
    """One parcel of a packed order leaves, with everything or with these units; their stock becomes sold."""
    found = service.order_by_reference(session, order_number)
    service.ship(
        session,
        order_id=found.id,
        actor=actor.name,
        carrier=body.carrier,
        tracking_number=body.tracking_number,
        weight_grams=body.weight_grams,
        units=None if body.units is None else schemas.quantities(body.units),
        now=clock.now(),
    )
    return views.detail(session, found)


@router.post(
    "/orders/{order_number}/deliver",
    summary="What is under way has arrived",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409),
)
def deliver(session: WriteSession, clock: ClockDep, actor: CurrentActor, order_number: Number) -> schemas.OrderDetail:
    """With the last units the return window starts, and an order paid on delivery is paid."""
    found = service.order_by_reference(session, order_number)
    service.deliver(session, order_id=found.id, actor=actor.name, now=clock.now())
    return views.detail(session, found)


@router.post(
    "/orders/{order_number}/came-back",
    summary="Units came home undelivered",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def came_back(
    *, session: WriteSession, clock: ClockDep, actor: CurrentActor, order_number: Number, body: schemas.CameBackIn
) -> schemas.OrderDetail:
    """They are shelved again, and what was paid for them goes back by policy."""
    found = service.order_by_reference(session, order_number)
    service.parcel_came_back(
        session,
        order_id=found.id,
        units=schemas.quantities(body.units),
        actor=actor.name,
        reason=body.reason,
        restock=body.restock,
        ours=body.ours,
        now=clock.now(),
    )
    return views.detail(session, found)


@router.post(
    "/orders/{order_number}/cancel",
    summary="Call off an order",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def cancel(
    *, session: WriteSession, clock: ClockDep, actor: CurrentActor, order_number: Number, body: schemas.StaffCancelIn
) -> schemas.OrderDetail:
    """Possible until something is sent; paid money goes back."""
    found = service.order_by_reference(session, order_number)
    service.cancel(session, order_id=found.id, actor=actor.name, reason=body.reason, ours=body.ours, now=clock.now())
    return views.detail(session, found)


@router.post(
    "/orders/{order_number}/cancel-units",
    summary="Call off a part of an order",
    response_model=schemas.DecisionOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def cancel_units(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    order_number: Number,
    body: schemas.StaffCancelUnitsIn,
) -> Response:
    """Units that have not left; what was paid for exactly these goes back by the rules that the answer tells."""

    def make() -> schemas.DecisionOut:
        decision = service.cancel_units(
            session,
            order_id=service.order_by_reference(session, order_number).id,
            units=schemas.quantities(body.units),
            actor=actor.name,
            reason=body.reason,
            ours=body.ours,
            now=clock.now(),
        )
        return schemas.DecisionOut.of(decision)

    return replay.answer(session, status=200, make=make)


@router.post(
    "/orders/{order_number}/send-again",
    summary="Send delivered units again, free of charge",
    status_code=201,
    response_model=ChangeOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def send_again(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    order_number: Number,
    body: schemas.SendAgainIn,
) -> Response:
    """Because something was wrong with them. They are new lines of the order at no price, and leave like the others."""

    def make() -> ChangeOut:
        change = service.send_again(
            session,
            order_id=service.order_by_reference(session, order_number).id,
            units=schemas.quantities(body.units),
            actor=actor.name,
            reason=body.reason,
            now=clock.now(),
        )
        return views.change_view(session, change)

    return replay.answer(session, status=201, make=make)


@router.post(
    "/orders/{order_number}/approval/void",
    summary="An approval counts no more",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def void_approval(
    *, session: WriteSession, clock: ClockDep, actor: CurrentActor, order_number: Number, body: schemas.VoidIn
) -> schemas.OrderDetail:
    """Because the design will change: the customer is asked again before they can pay."""
    found = service.order_by_reference(session, order_number)
    service.void(session, order_id=found.id, actor=actor.name, reason=body.reason, now=clock.now())
    return views.detail(session, found)


@router.get(
    "/orders/{order_number}/changes",
    summary="Changes of an order",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404),
)
def changes(session: ReadSession, order_number: Number) -> list[ChangeOut]:
    """Every change set, oldest first."""
    found = service.order_by_reference(session, order_number)
    return [views.change_view(session, change) for change in service.changes_of(session, found.id)]


@router.post(
    "/orders/{order_number}/changes",
    summary="Propose a change of an order",
    status_code=201,
    response_model=ChangeOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def propose(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    order_number: Number,
    body: ChangeIn,
) -> Response:
    """Possible until something is sent; a packed order is unpacked for it, but its address is settled."""

    def make() -> ChangeOut:
        change = service.draft_change(
            session,
            order_id=service.order_by_reference(session, order_number).id,
            wanted=body.wanted(),
            actor=actor.name,
            reason=body.reason,
            may_unpack=True,
            now=clock.now(),
        )
        return views.change_view(session, change)

    return replay.answer(session, status=201, make=make)


@router.post(
    "/orders/{order_number}/changes/{change_id}/apply",
    summary="A change is agreed to",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409),
)
def apply(
    session: WriteSession, clock: ClockDep, actor: CurrentActor, order_number: Number, change_id: ChangeId
) -> ChangeOut:
    """It happens now, or when the difference is paid."""
    change = service.find_change(session, service.order_by_reference(session, order_number).id, change_id)
    service.apply_change(session, change_id=change.id, actor=actor.name, now=clock.now())
    return views.change_view(session, change)


@router.post(
    "/orders/{order_number}/changes/{change_id}/decline",
    summary="A change is dropped",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409),
)
def decline(
    session: WriteSession, clock: ClockDep, actor: CurrentActor, order_number: Number, change_id: ChangeId
) -> ChangeOut:
    """The order goes on as it was."""
    change = service.find_change(session, service.order_by_reference(session, order_number).id, change_id)
    service.decline_change(session, change_id=change.id, actor=actor.name, now=clock.now())
    return views.change_view(session, change)
