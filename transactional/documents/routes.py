"""Tax documents over HTTP: one's own for shoppers, all of them and the month's tax for staff."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy.orm import Session

from transactional.core.access import Actor, OptionalActor, public, requires
from transactional.core.deps import ClockDep, ReadSession, SettingsDep, WriteSession
from transactional.core.errors import InvalidInput, NotFound
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, shape_page
from transactional.core.problems import problem_responses
from transactional.documents import gst, rendering, schemas, service
from transactional.orders import service as orders

router = APIRouter(prefix="/v1", tags=["documents"])

EVERYBODY = [Depends(public())]
READERS = [Depends(requires("read_orders"))]
WRITERS = [Depends(requires("write_orders"))]
ACCOUNTANTS = [Depends(requires("read_payments"))]
PAYERS = [Depends(requires("write_refunds"))]

_STAFF = "read_orders"
_PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The document",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.7 …"}},
    }
}
_CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The table",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "month,section,supply,place_code,place,rate_percent,currency,"
                "taxable_value,cgst,sgst,igst,total\r\n"
                "2026-11,B2C,intra,29,Karnataka,18.00,INR,13027.10,1172.44,1172.44,0.00,15371.98\r\n",
            }
        },
    }
}

Reference = Annotated[
    str,
    Path(max_length=40, description="Number of one's own order, or the id of a guest's", examples=["MLT-2026-000123"]),
]
OrderNumber = Annotated[str, Path(max_length=40, examples=["MLT-2026-000123"])]
Number = Annotated[str, Path(max_length=16, examples=["INV-2627-0000123"])]
Month = Annotated[
    str, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="By Indian time", examples=["2026-11"])
]


@router.get(
    "/orders/{order_number}/documents",
    summary="Invoices and credit notes of one's own order",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404),
)
def my_documents(session: ReadSession, actor: OptionalActor, order_number: Reference) -> list[schemas.DocumentOut]:
    """In the order of issue. A guest asks by the order's id."""
    order = _visible(session, actor, order_number)
    return [schemas.DocumentOut.of(document) for document in service.documents_of(session, order.id)]


@router.get(
    "/documents/{number}.pdf",
    summary="A document as PDF",
    dependencies=EVERYBODY,
    response_class=Response,
    responses=_PDF | problem_responses(401, 404, 503),
)
def download(
    *,
    session: ReadSession,
    settings: SettingsDep,
    actor: OptionalActor,
    number: Number,
    order: Annotated[
        str | None,
        Query(max_length=40, description="A guest's order id", examples=["ord_7h2k9m4q1x8c5v3b6n0z7w2r4t"]),
    ] = None,
) -> Response:
    """For the order's customer, for a guest who names the order's id, and for staff. The bytes never change."""
    document = service.find_document(session, number)
    _require_visible(session, actor, document, order)
    body = rendering.pdf(document, service.lines_of(session, document.id), fonts_dir=settings.fonts_dir)
    return Response(
        body,
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{document.number}.pdf"',
            "Cache-Control": "private, no-transform",
        },
    )


@router.get(
    "/staff/documents",
    summary="Invoices and credit notes",
    dependencies=READERS,
    responses=problem_responses(401, 403, 422),
)
def documents(
    *,
    session: ReadSession,
    cursor: CursorParams,
    kind: Annotated[service.DocumentKind | None, Query(examples=["invoice"])] = None,
    supply: Annotated[service.SupplyKind | None, Query(examples=["inter"])] = None,
    place: Annotated[str | None, Query(max_length=2, description="GST state code", examples=["29"])] = None,
    order_number: Annotated[str | None, Query(max_length=40, examples=["MLT-2026-000123"])] = None,
    month: Annotated[
        str | None, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="By Indian time", examples=["2026-11"])
    ] = None,
) -> Page[schemas.DocumentOut]:
    """Newest first."""
    since: datetime | None = None
    until: datetime | None = None
    if month is not None:
        since, until = gst.month_bounds(_first_day(month))
    order_id = None if order_number is None else orders.order_by_reference(session, order_number).id
    wanted = service.DocumentFilter(
        kind=kind, supply_kind=supply, place_of_supply=place, order_id=order_id, since=since, until=until
    )
    return shape_page(*service.page_of_documents(session, cursor, wanted), shape=schemas.DocumentOut.of)


@router.get(
    "/staff/documents/{number}",
    summary="One document",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404),
)
def document(session: ReadSession, number: Number) -> schemas.DocumentDetail:
    """With its lines."""
    found = service.find_document(session, number)
    return schemas.DocumentDetail.build(found, service.lines_of(session, found.id))


@router.post(
    "/staff/orders/{order_number}/invoice",
    summary="Issue the invoice of an order",
    status_code=201,
    response_model=schemas.DocumentOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def issue(
    *,
    session: WriteSession,
    clock: ClockDep,
    settings: SettingsDep,
    replay: Idempotency,
    order_number: OrderNumber,
    body: schemas.IssueIn,
) -> Response:
    """Issued by itself once something has left; by hand where the address does not tell the place of supply."""

    def make() -> schemas.DocumentOut:
        issued = service.issue_invoice(
            session,
            order_id=orders.order_by_reference(session, order_number).id,
            place_of_supply=body.place_of_supply,
            settings=settings,
            now=clock.now(),
        )
        return schemas.DocumentOut.of(issued)

    return replay.answer(session, status=201, make=make)


@router.post(
    "/staff/orders/{order_number}/credit-notes",
    summary="Take an amount off an order's invoices",
    status_code=201,
    response_model=schemas.IssuedOut,
    dependencies=PAYERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def credit(
    *,
    session: WriteSession,
    clock: ClockDep,
    settings: SettingsDep,
    replay: Idempotency,
    order_number: OrderNumber,
    body: schemas.CreditIn,
) -> Response:
    """The paper alone: the money is refunded apart. Units that come back get their notes by themselves."""

    def make() -> schemas.IssuedOut:
        notes = service.issue_credit_note(
            session,
            order_id=orders.order_by_reference(session, order_number).id,
            amount_minor=body.amount_minor,
            key=body.reference,
            reason=body.reason,
            settings=settings,
            now=clock.now(),
        )
        return schemas.IssuedOut(items=[schemas.DocumentOut.of(note) for note in notes])

    return replay.answer(session, status=201, make=make)


@router.get(
    "/staff/gst-summary",
    summary="A month's GST",
    dependencies=ACCOUNTANTS,
    responses=problem_responses(401, 403, 422),
)
def month_summary(session: ReadSession, month: Month) -> schemas.MonthSummaryOut:
    """By rate and place of supply, by HSN, and the numbers used; credit notes are taken off."""
    return schemas.MonthSummaryOut.of(gst.month_summary(session, _first_day(month)))


@router.get(
    "/staff/gst-summary.csv",
    summary="A month's GST as a table",
    dependencies=ACCOUNTANTS,
    response_class=Response,
    responses=_CSV | problem_responses(401, 403, 422),
)
def month_table(session: ReadSession, month: Month) -> Response:
    """By rate and place of supply, in rupees."""
    table = gst.as_csv(gst.month_summary(session, _first_day(month)))
    return Response(
        table,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="gst-{month}.csv"'},
    )


def _visible(session: Session, actor: Actor, reference: str) -> orders.Order:
    return orders.get_visible_order(session, reference, customer_id=actor.customer_id)


def _require_visible(session: Session, actor: Actor, found: service.TaxDocument, guests_order: str | None) -> None:
    """Raise NotFound, worded as for a number that does not exist, unless the document's order is the actor's to see."""
    if actor.may(_STAFF):
        return
    reference = guests_order or str(found.details["order_number"])
    try:
        order_id = _visible(session, actor, reference).id
    except NotFound:
        order_id = None
    if order_id != found.order_id:
        raise NotFound("no such document")


def _first_day(month: str) -> date:
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        raise InvalidInput("a month reads like 2026-11", field="month") from None
