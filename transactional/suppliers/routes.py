"""Suppliers over HTTP, for staff: who they are, what they sell at which terms, and what they have."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Response
from pydantic import AwareDatetime

from transactional.core.access import requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, encode_cursor, page_of
from transactional.core.problems import problem_responses
from transactional.suppliers import schemas, service

router = APIRouter(prefix="/v1/staff", tags=["suppliers"])

READERS = [Depends(requires("read_suppliers"))]
WRITERS = [Depends(requires("write_suppliers"))]

_ID = {"ge": 1, "le": 2**63 - 1}
SupplierId = Annotated[int, Path(**_ID, examples=[3])]
ProductId = Annotated[int, Path(**_ID, examples=[9])]


@router.get(
    "/suppliers", summary="Whom the shop buys from", dependencies=READERS, responses=problem_responses(401, 403, 422)
)
def suppliers(session: ReadSession, cursor: CursorParams) -> Page[schemas.SupplierOut]:
    """Oldest first."""
    rows = service.suppliers(session, after_id=cursor.after, limit=cursor.limit + 1)
    return page_of(rows, cursor.limit, schemas.SupplierOut.of)


@router.post(
    "/suppliers",
    summary="Add a supplier",
    status_code=201,
    response_model=schemas.SupplierOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 409, 422),
)
def create_supplier(session: WriteSession, clock: ClockDep, replay: Idempotency, body: schemas.SupplierIn) -> Response:
    """Somebody the shop buys from."""

    def make() -> schemas.SupplierOut:
        return schemas.SupplierOut.of(service.create_supplier(session, now=clock.now(), **body.model_dump()))

    return replay.answer(session, status=201, make=make)


@router.patch(
    "/suppliers/{supplier_id}",
    summary="Change a supplier",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 422),
)
def update_supplier(session: WriteSession, supplier_id: SupplierId, body: schemas.SupplierPatch) -> schemas.SupplierOut:
    """Change what is given. Nothing new is ordered from an inactive supplier."""
    changes: Any = body.model_dump(exclude_unset=True)
    return schemas.SupplierOut.of(service.update_supplier(session, supplier_id=supplier_id, **changes))


@router.get(
    "/suppliers/{supplier_id}/products",
    summary="A supplier's articles",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def products(session: ReadSession, supplier_id: SupplierId, cursor: CursorParams) -> Page[schemas.SupplierProductOut]:
    """Oldest first."""
    service.get_supplier(session, supplier_id)
    rows = service.products_of(session, supplier_id, after_id=cursor.after, limit=cursor.limit + 1)
    return page_of(rows, cursor.limit, schemas.SupplierProductOut.of)


@router.post(
    "/suppliers/{supplier_id}/products",
    summary="Add a supplier's article",
    status_code=201,
    response_model=schemas.SupplierProductOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def add_product(
    session: WriteSession,
    clock: ClockDep,
    replay: Idempotency,
    supplier_id: SupplierId,
    body: schemas.SupplierProductIn,
) -> Response:
    """It stands for one variant of the shop; a supplier's SKU is used once."""

    def make() -> schemas.SupplierProductOut:
        product = service.add_product(session, supplier_id=supplier_id, now=clock.now(), **body.model_dump())
        return schemas.SupplierProductOut.of(product)

    return replay.answer(session, status=201, make=make)


@router.patch(
    "/supplier-products/{product_id}",
    summary="Change an article's terms",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 422),
)
def update_product(
    session: WriteSession, product_id: ProductId, body: schemas.TermsPatch
) -> schemas.SupplierProductOut:
    """Change what is given; orders that were placed keep their price."""
    changes: Any = body.model_dump(exclude_unset=True)
    return schemas.SupplierProductOut.of(service.update_product(session, supplier_product_id=product_id, **changes))


@router.get(
    "/suppliers/{supplier_id}/stock",
    summary="What a supplier last said to have",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def supplier_stock(
    session: ReadSession, supplier_id: SupplierId, cursor: CursorParams
) -> Page[schemas.SupplierStockOut]:
    """By article, with the supplier's own time of the figure."""
    service.get_supplier(session, supplier_id)
    rows = service.stock_of(session, supplier_id, after_id=cursor.after, limit=cursor.limit + 1)
    shown = rows[: cursor.limit]
    more = encode_cursor(shown[-1][0].id) if len(rows) > cursor.limit else None
    return Page(items=[schemas.SupplierStockOut.of(*row) for row in shown], next_cursor=more)


@router.post(
    "/suppliers/{supplier_id}/feeds",
    summary="Take a stock feed in",
    status_code=201,
    response_model=schemas.FeedOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 413, 422),
)
def import_feed(
    session: WriteSession, clock: ClockDep, replay: Idempotency, supplier_id: SupplierId, body: schemas.FeedIn
) -> Response:
    """Figures that are newer than what is known replace it; older ones are counted and left."""
    feed = service.Feed(
        tuple(service.FeedItem(item.supplier_sku, item.quantity, body.as_of) for item in body.items)
    ).checked()

    def make() -> schemas.FeedOut:
        return schemas.FeedOut.of(service.import_feed(session, supplier_id=supplier_id, feed=feed, now=clock.now()))

    return replay.answer(session, status=201, make=make)


@router.post(
    "/suppliers/{supplier_id}/feeds/csv",
    summary="Take a stock feed in as CSV",
    status_code=201,
    response_model=schemas.FeedOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 413, 422),
)
def import_csv_feed(
    session: WriteSession,
    clock: ClockDep,
    replay: Idempotency,
    supplier_id: SupplierId,
    body: Annotated[
        bytes,
        Body(
            media_type="text/csv",
            description="A header with `supplier_sku`, `quantity` and `as_of`",
            examples=["supplier_sku,quantity,as_of\nCT-0042,360,2026-01-15T06:00:00Z\n"],
        ),
    ],
    *,
    as_of: Annotated[
        AwareDatetime | None,
        Query(description="The supplier's time, without such a column", examples=["2026-01-15T06:00:00Z"]),
    ] = None,
) -> Response:
    """The whole file or nothing: the first fault is named by its line."""
    feed = service.read_csv(body, as_of=as_of)

    def make() -> schemas.FeedOut:
        return schemas.FeedOut.of(service.import_feed(session, supplier_id=supplier_id, feed=feed, now=clock.now()))

    return replay.answer(session, status=201, make=make)


@router.get(
    "/suppliers/{supplier_id}/performance",
    summary="How a supplier keeps its word",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def performance(session: ReadSession, supplier_id: SupplierId) -> schemas.PerformanceOut:
    """Lead times as they were and how much of what was ordered came."""
    return schemas.PerformanceOut.of(service.performance(session, supplier_id))
