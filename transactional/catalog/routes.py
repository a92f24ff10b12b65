"""The catalogue over HTTP: the shop window for everybody, its making for staff."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from transactional.catalog import schemas, service, storefront
from transactional.core.access import public, requires
from transactional.core.deps import ClockDep, ReadSession, SettingsDep, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, encode_cursor
from transactional.core.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["catalogue"])

EVERYBODY = [Depends(public())]
READERS = [Depends(requires("read_catalog"))]
WRITERS = [Depends(requires("write_catalog"))]

CurrencyParam = Annotated[
    str | None, Query(pattern=r"^[A-Z]{3}$", description="The shop's own currency by default", examples=["INR"])
]
CategoryId = Annotated[int, Path(examples=[4])]
ProductId = Annotated[int, Path(examples=[42])]
VariantId = Annotated[int, Path(examples=[7])]


def product_filter(
    *,
    category: Annotated[int | None, Query(description="A category, with all below it", examples=[4])] = None,
    occasion: Annotated[str | None, Query(max_length=40, examples=["diwali"])] = None,
    tier: Annotated[service.GiftTier | None, Query()] = None,
    price_min: Annotated[int | None, Query(ge=0, description="Minor units, inclusive", examples=[20000])] = None,
    price_max: Annotated[int | None, Query(ge=0, description="Minor units, inclusive", examples=[150000])] = None,
    q: Annotated[str | None, Query(max_length=100, description="Words of name or description")] = None,
) -> service.ProductFilter:
    """Read the filters of a product list from the query."""
    return service.ProductFilter(
        category_id=category, occasion=occasion, tier=tier, price_min=price_min, price_max=price_max, text=q
    )


@router.get("/categories", summary="The category tree", dependencies=EVERYBODY)
def categories(session: ReadSession) -> list[schemas.CategoryOut]:
    """Every category in display order; `parent_id` makes the tree."""
    return [schemas.CategoryOut.of(category) for category in service.list_categories(session)]


@router.get("/occasions", summary="The occasions to give for", dependencies=EVERYBODY)
def occasions(session: ReadSession) -> list[schemas.OccasionOut]:
    """Every occasion, by name; its key narrows a product list."""
    return [schemas.OccasionOut.of(occasion) for occasion in service.list_occasions(session)]


@router.get("/products", summary="The products on sale", dependencies=EVERYBODY, responses=problem_responses(422))
def products(
    *,
    session: ReadSession,
    clock: ClockDep,
    settings: SettingsDep,
    cursor: CursorParams,
    filters: Annotated[service.ProductFilter, Depends(product_filter)],
    currency: CurrencyParam = None,
) -> Page[schemas.ProductOut]:
    """Active products with a price in this currency, oldest first."""
    now = clock.now()
    listed = service.list_products(
        session,
        filters=filters,
        currency=currency or settings.base_currency,
        now=now,
        after_id=cursor.after or 0,
        limit=cursor.limit + 1,
    )
    shown = listed[: cursor.limit]
    more = encode_cursor(shown[-1].product.id) if len(listed) > cursor.limit else None
    return Page(items=storefront.window(session, shown, now=now), next_cursor=more)


@router.get(
    "/products/{product_id}",
    summary="One product with its variants",
    dependencies=EVERYBODY,
    responses=problem_responses(404, 422),
)
def product(
    session: ReadSession,
    clock: ClockDep,
    settings: SettingsDep,
    product_id: ProductId,
    currency: CurrencyParam = None,
) -> schemas.ProductDetail:
    """Price, availability and rating as of now. A product that is not on sale answers 404."""
    return storefront.detail(session, product_id, currency=currency or settings.base_currency, now=clock.now())


@router.post(
    "/staff/categories",
    summary="Create a category",
    status_code=201,
    response_model=schemas.CategoryOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def create_category(session: WriteSession, replay: Idempotency, body: schemas.CategoryIn) -> Response:
    """Add a node to the tree."""
    return replay.answer(
        session,
        status=201,
        make=lambda: schemas.CategoryOut.of(
            service.create_category(session, name=body.name, parent_id=body.parent_id, position=body.position)
        ),
    )


@router.put(
    "/staff/categories/{category_id}/parent",
    summary="Move a category",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def move_category(session: WriteSession, category_id: CategoryId, body: schemas.CategoryMove) -> schemas.CategoryOut:
    """Hang a category with all below it elsewhere; a move that would make a cycle is refused."""
    moved = service.move_category(session, category_id=category_id, parent_id=body.parent_id)
    return schemas.CategoryOut.of(moved)


@router.post(
    "/staff/occasions",
    summary="Create an occasion",
    status_code=201,
    response_model=schemas.OccasionOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 422),
)
def create_occasion(session: WriteSession, replay: Idempotency, body: schemas.OccasionIn) -> Response:
    """Add a reason to give; a known key answers with what is there."""
    return replay.answer(
        session,
        status=201,
        make=lambda: schemas.OccasionOut.of(service.create_occasion(session, key=body.key, name=body.name)),
    )


@router.post(
    "/staff/products",
    summary="Create a product",
    status_code=201,
    response_model=schemas.StaffProductOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def create_product(session: WriteSession, clock: ClockDep, replay: Idempotency, body: schemas.ProductIn) -> Response:
    """A product with its default variant and that variant's first price."""

    def make() -> schemas.StaffProductOut:
        created = service.create_product(session, **body.model_dump(), now=clock.now())
        return storefront.for_staff(session, created.id)

    return replay.answer(session, status=201, make=make)


@router.get(
    "/staff/products/{product_id}",
    summary="One product, on sale or not",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404),
)
def staff_product(session: ReadSession, product_id: ProductId) -> schemas.StaffProductOut:
    """All that the catalogue holds of a product."""
    return storefront.for_staff(session, product_id)


@router.patch(
    "/staff/products/{product_id}",
    summary="Change a product",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 422),
)
def update_product(
    session: WriteSession, clock: ClockDep, product_id: ProductId, body: schemas.ProductPatch
) -> schemas.StaffProductOut:
    """Change what is given. `is_active: true` brings a withdrawn product back."""
    changes = body.model_dump(exclude={"occasions"}, exclude_none=True)
    service.update_product(session, product_id=product_id, **changes, now=clock.now())
    if body.occasions is not None:
        service.set_occasions(session, product_id=product_id, occasions=body.occasions)
    return storefront.for_staff(session, product_id)


@router.put(
    "/staff/products/{product_id}/tier",
    summary="Fix the gift tier by hand",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 422),
)
def set_tier(
    session: WriteSession, clock: ClockDep, product_id: ProductId, body: schemas.TierIn
) -> schemas.StaffProductOut:
    """Overrule the price rule, or hand the decision back to it."""
    service.set_tier(session, product_id=product_id, tier=body.tier, now=clock.now())
    return storefront.for_staff(session, product_id)


@router.post(
    "/staff/products/{product_id}/deactivate",
    summary="Take a product off the shop",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404),
)
def deactivate_product(session: WriteSession, clock: ClockDep, product_id: ProductId) -> schemas.StaffProductOut:
    """The product can be bought no more; orders that hold it stay as they are. Safe to repeat."""
    service.deactivate_product(session, product_id=product_id, now=clock.now())
    return storefront.for_staff(session, product_id)


@router.put(
    "/staff/variants/{variant_id}/price",
    summary="Set the price of a variant",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def set_price(session: WriteSession, clock: ClockDep, variant_id: VariantId, body: schemas.PriceIn) -> schemas.PriceOut:
    """From now on; the old price is closed at the same moment. Safe to repeat."""
    price = service.set_price(session, variant_id=variant_id, **body.model_dump(), now=clock.now())
    return schemas.PriceOut.of(price)


@router.get(
    "/staff/variants/{variant_id}/prices",
    summary="The price history of a variant",
    dependencies=READERS,
    responses=problem_responses(401, 403),
)
def prices(session: ReadSession, variant_id: VariantId) -> list[schemas.PriceOut]:
    """Every price the variant ever had, oldest first."""
    return [schemas.PriceOut.of(price) for price in service.price_history(session, variant_id=variant_id)]
