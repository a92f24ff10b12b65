"""Procurement over HTTP, for staff: suggestions, orders, deliveries and requirements."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from transactional.core.access import CurrentActor, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, page_of
from transactional.core.problems import problem_responses
from transactional.inventory.service import default_location
from transactional.suppliers import purchase_schemas as schemas
from transactional.suppliers import service
from transactional.suppliers.service import PurchaseStatus

router = APIRouter(prefix="/v1/staff/procurement", tags=["procurement"])

READERS = [Depends(requires("read_procurement"))]
WRITERS = [Depends(requires("write_procurement"))]

_ID = {"ge": 1, "le": 2**63 - 1}
OrderId = Annotated[int, Path(**_ID, examples=[6])]
ProductId = Annotated[int, Path(**_ID, examples=[9])]
LineId = Annotated[int, Path(**_ID, examples=[41])]
RequirementId = Annotated[int, Path(**_ID, examples=[17])]


@router.get(
    "/suggestions", summary="What the shop should buy", dependencies=READERS, responses=problem_responses(401, 403)
)
def suggestions(session: ReadSession, clock: ClockDep) -> list[schemas.SuggestionOut]:
    """One a level with a reorder policy that has too little coming, with every figure that it follows from."""
    found = service.suggestions(session, now=clock.now())
    return [schemas.SuggestionOut.of(suggestion) for suggestion in found if suggestion.quantity]


@router.post(
    "/reorder",
    summary="Draw up reorder drafts",
    response_model=schemas.DraftedOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 409, 422),
)
def reorder(session: WriteSession, clock: ClockDep, replay: Idempotency) -> Response:
    """What the reorder job does, now. Doing it again makes no second order."""

    def make() -> schemas.DraftedOut:
        return schemas.DraftedOut.model_validate(service.draw_up_all(session, now=clock.now()))

    return replay.answer(session, status=200, make=make)


@router.get("/orders", summary="Procurement orders", dependencies=READERS, responses=problem_responses(401, 403, 422))
def orders(
    session: ReadSession,
    cursor: CursorParams,
    supplier_id: Annotated[int | None, Query(description="Only this supplier's", **_ID, examples=[3])] = None,
    status: Annotated[PurchaseStatus | None, Query(description="Only these", examples=["placed"])] = None,
) -> Page[schemas.PurchaseOrderOut]:
    """Newest first."""
    rows = service.orders(
        session, supplier_id=supplier_id, status=status, before_id=cursor.after, limit=cursor.limit + 1
    )
    return page_of(rows, cursor.limit, schemas.PurchaseOrderOut.of)


@router.post(
    "/orders",
    summary="Draft a procurement order",
    status_code=201,
    response_model=schemas.OrderDetailOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def draft_order(session: WriteSession, clock: ClockDep, replay: Idempotency, body: schemas.OrderIn) -> Response:
    """A draft with its lines; nothing is on order before it is placed."""

    def make() -> schemas.OrderDetailOut:
        order = service.draft_order(
            session,
            supplier_id=body.supplier_id,
            location_id=body.location_id or default_location(session).id,
            currency=body.currency,
            note=body.note,
            now=clock.now(),
        )
        for line in body.lines:
            service.set_line(session, purchase_order_id=order.id, now=clock.now(), **line.model_dump())
        return schemas.OrderDetailOut.with_lines(order, service.lines_of(session, order.id))

    return replay.answer(session, status=201, make=make)


@router.get(
    "/orders/{order_id}",
    summary="A procurement order",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def order_detail(session: ReadSession, order_id: OrderId) -> schemas.OrderDetailOut:
    """With its lines."""
    return schemas.OrderDetailOut.with_lines(service.get_order(session, order_id), service.lines_of(session, order_id))


@router.put(
    "/orders/{order_id}/lines/{product_id}",
    summary="Set a line of a draft",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def set_line(
    session: WriteSession, clock: ClockDep, order_id: OrderId, product_id: ProductId, body: schemas.PurchaseQuantityIn
) -> schemas.PurchaseLineOut:
    """So many units of an article, in place of what was there. The reorder job leaves the line alone from now on."""
    line = service.set_line(
        session,
        purchase_order_id=order_id,
        supplier_product_id=product_id,
        quantity=body.quantity,
        now=clock.now(),
    )
    return schemas.PurchaseLineOut.model_validate(line)


@router.delete(
    "/orders/{order_id}/lines/{product_id}",
    summary="Take a line off a draft",
    status_code=204,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def remove_line(session: WriteSession, order_id: OrderId, product_id: ProductId) -> None:
    """The reorder job may put it on again: set it, or cancel the draft, to keep it off."""
    service.remove_line(session, purchase_order_id=order_id, supplier_product_id=product_id)


@router.post(
    "/orders/{order_id}/place",
    summary="Send an order to its supplier",
    response_model=schemas.OrderDetailOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def place(session: WriteSession, clock: ClockDep, replay: Idempotency, order_id: OrderId) -> Response:
    """Prices are fixed and the goods count as on order; the supplier is mailed."""

    def make() -> schemas.OrderDetailOut:
        order = service.place(session, purchase_order_id=order_id, now=clock.now())
        return schemas.OrderDetailOut.with_lines(order, service.lines_of(session, order_id))

    return replay.answer(session, status=200, make=make)


@router.post(
    "/orders/{order_id}/cancel",
    summary="Call an order off",
    response_model=schemas.PurchaseOrderOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def cancel(
    session: WriteSession, clock: ClockDep, replay: Idempotency, order_id: OrderId, body: schemas.ReasonIn
) -> Response:
    """As long as nothing of it has come."""

    def make() -> schemas.PurchaseOrderOut:
        order = service.cancel(session, purchase_order_id=order_id, reason=body.reason, now=clock.now())
        return schemas.PurchaseOrderOut.of(order)

    return replay.answer(session, status=200, make=make)


@router.post(
    "/orders/{order_id}/close",
    summary="Expect nothing more of an order",
    response_model=schemas.OrderDetailOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def close(
    session: WriteSession, clock: ClockDep, replay: Idempotency, order_id: OrderId, body: schemas.ReasonIn
) -> Response:
    """What is outstanding counts as short."""

    def make() -> schemas.OrderDetailOut:
        order = service.close(session, purchase_order_id=order_id, reason=body.reason, now=clock.now())
        return schemas.OrderDetailOut.with_lines(order, service.lines_of(session, order_id))

    return replay.answer(session, status=200, make=make)


@router.get(
    "/orders/{order_id}/receipts",
    summary="The deliveries of an order",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def receipts(session: ReadSession, order_id: OrderId) -> list[schemas.ReceiptOut]:
    """Oldest first."""
    service.get_order(session, order_id)
    return [schemas.ReceiptOut.of(receipt, lines) for receipt, lines in service.receipts_of(session, order_id)]


@router.post(
    "/orders/{order_id}/receipts",
    summary="Book a delivery",
    status_code=201,
    response_model=schemas.ReceiptOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def receive_delivery(
    session: WriteSession,
    clock: ClockDep,
    replay: Idempotency,
    actor: CurrentActor,
    order_id: OrderId,
    *,
    body: schemas.DeliveryIn,
) -> Response:
    """Good units go onto the shelf at once, one movement a line; more than was ordered is refused."""

    def make() -> schemas.ReceiptOut:
        receipt = service.receive_delivery(
            session,
            purchase_order_id=order_id,
            arrived=[service.Arrived(**line.model_dump()) for line in body.lines],
            key=replay.key,
            actor=actor.name,
            location_id=body.location_id,
            delivery_note=body.delivery_note,
            now=clock.now(),
        )
        booked = {found.id: lines for found, lines in service.receipts_of(session, order_id)}
        return schemas.ReceiptOut.of(receipt, booked[receipt.id])

    return replay.answer(session, status=201, make=make)


@router.get(
    "/lines/{line_id}/explanation",
    summary="Why a line was suggested",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def explanation(session: ReadSession, line_id: LineId) -> schemas.ExplanationOut:
    """The formula as it was stored, beside the same told again from the ledgers at that moment."""
    stored, again = service.explain(session, line_id)
    return schemas.ExplanationOut.of(stored, again)


@router.get(
    "/requirements", summary="What is needed by when", dependencies=READERS, responses=problem_responses(401, 403, 422)
)
def requirements(
    session: ReadSession,
    cursor: CursorParams,
    *,
    unmet_only: Annotated[bool, Query(description="Only open and covered ones")] = True,
) -> Page[schemas.RequirementOut]:
    """Newest first, with the line that brings it."""
    rows = service.requirements(session, unmet_only=unmet_only, before_id=cursor.after, limit=cursor.limit + 1)
    return page_of(rows, cursor.limit, schemas.RequirementOut.of)


@router.post(
    "/requirements",
    summary="Say that something is needed",
    status_code=201,
    response_model=schemas.RequirementOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def require(session: WriteSession, clock: ClockDep, replay: Idempotency, body: schemas.RequirementIn) -> Response:
    """The job links it with a line that has units to spare."""

    def make() -> schemas.RequirementOut:
        wanted = body.model_dump() | {"location_id": body.location_id or default_location(session).id}
        return schemas.RequirementOut.of(service.require(session, now=clock.now(), **wanted))

    return replay.answer(session, status=201, make=make)


@router.post(
    "/requirements/{requirement_id}/cancel",
    summary="Say that something is not needed any more",
    response_model=schemas.RequirementOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def cancel_requirement(
    session: WriteSession, clock: ClockDep, replay: Idempotency, requirement_id: RequirementId
) -> Response:
    """Orders that were drafted for it stay."""

    def make() -> schemas.RequirementOut:
        done = service.cancel_requirement(session, requirement_id=requirement_id, now=clock.now())
        return schemas.RequirementOut.of(done)

    return replay.answer(session, status=200, make=make)
