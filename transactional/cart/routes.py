"""Carts over HTTP. A guest's cart belongs to whoever knows its id, a customer's cart to that customer."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy.orm import Session

from transactional.cart import schemas, service
from transactional.core.access import Actor, CurrentActor, OptionalActor, authenticated, public
from transactional.core.clock import Clock
from transactional.core.deps import ClockDep, ReadSession, SettingsDep, WriterDep, WriteSession
from transactional.core.errors import NotFound
from transactional.core.idempotency import Idempotency
from transactional.core.problems import problem_responses
from transactional.settings import Settings

router = APIRouter(prefix="/v1/carts", tags=["cart"])

EVERYBODY = [Depends(public())]
CUSTOMERS = [Depends(authenticated())]

CartId = Annotated[str, Path(max_length=40, examples=["cart_7h2k9m4q1x8c5v3b6n0z7w"])]
LineId = Annotated[int, Path(examples=[31])]
PostalCode = Query(min_length=1, max_length=16, description="Where the parcel shall go", examples=["560001"])


@router.post(
    "",
    summary="Start a cart",
    status_code=201,
    response_model=schemas.CartOut,
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404, 422),
)
def create(
    *,
    writer: WriterDep,
    clock: ClockDep,
    settings: SettingsDep,
    actor: OptionalActor,
    replay: Idempotency,
    body: schemas.CartIn,
) -> Response:
    """The caller's own cart, or a guest's; empty, or with the lines that are sent along."""
    now = clock.now()
    wanted = [service.Wanted(line.variant_id, line.quantity, line.customisation) for line in body.lines]
    with writer.unit_of_work() as session:

        def make() -> schemas.CartOut:
            cart = service.create_cart(
                session,
                currency=body.currency or settings.base_currency,
                customer_id=actor.customer_id,
                now=now,
            )
            contents = service.fill_new_cart(session, cart=cart, wanted=wanted, now=now)
            return _shown(session, cart, actor, clock, settings, contents=contents)

        return replay.answer(session, status=201, make=make)


@router.get(
    "/{cart_id}", summary="A cart with its prices", dependencies=EVERYBODY, responses=problem_responses(404, 422)
)
def show(
    *,
    session: ReadSession,
    clock: ClockDep,
    settings: SettingsDep,
    actor: OptionalActor,
    cart_id: CartId,
    redeem_points: Annotated[int, Query(ge=0, le=10**9, description="Try out points", examples=[50])] = 0,
    postal_code: Annotated[str | None, PostalCode] = None,
    country: Annotated[str, Query(min_length=2, max_length=64, description="Of the postal code")] = "IN",
) -> schemas.CartOut:
    """The prices that checkout would charge now, with the reason for each, and what would stop it.

    With a postal code shipping is what checkout will charge for it; without one the cheapest zone's, an estimate.
    """
    cart = _own_cart(session, cart_id, actor)
    destination = service.Destination(postal_code, country) if postal_code else None
    return _shown(session, cart, actor, clock, settings, redeem_points=redeem_points, destination=destination)


@router.post(
    "/{cart_id}/lines",
    summary="Put something into a cart",
    status_code=201,
    response_model=schemas.CartOut,
    dependencies=EVERYBODY,
    responses=problem_responses(404, 409, 422),
)
def add_line(
    *,
    session: WriteSession,
    clock: ClockDep,
    settings: SettingsDep,
    actor: OptionalActor,
    replay: Idempotency,
    cart_id: CartId,
    body: schemas.CartLineIn,
) -> Response:
    """The same variant with the same customisation adds to its line."""

    def make() -> schemas.CartOut:
        cart = _own_cart(session, cart_id, actor)
        service.add_line(
            session,
            cart=cart,
            variant_id=body.variant_id,
            quantity=body.quantity,
            customisation=body.customisation,
            now=clock.now(),
        )
        return _shown(session, cart, actor, clock, settings)

    return replay.answer(session, status=201, make=make)


@router.patch(
    "/{cart_id}/lines/{line_id}",
    summary="Change how many",
    dependencies=EVERYBODY,
    responses=problem_responses(404, 409, 422),
)
def set_quantity(
    *,
    session: WriteSession,
    clock: ClockDep,
    settings: SettingsDep,
    actor: OptionalActor,
    cart_id: CartId,
    line_id: LineId,
    body: schemas.CartQuantityIn,
) -> schemas.CartOut:
    """0 removes the line."""
    cart = _own_cart(session, cart_id, actor)
    service.set_quantity(session, cart=cart, line_id=line_id, quantity=body.quantity, now=clock.now())
    return _shown(session, cart, actor, clock, settings)


@router.delete(
    "/{cart_id}/lines/{line_id}",
    summary="Take a line out",
    dependencies=EVERYBODY,
    responses=problem_responses(404, 409),
)
def remove_line(
    *,
    session: WriteSession,
    clock: ClockDep,
    settings: SettingsDep,
    actor: OptionalActor,
    cart_id: CartId,
    line_id: LineId,
) -> schemas.CartOut:
    """Remove all units of the line."""
    cart = _own_cart(session, cart_id, actor)
    service.set_quantity(session, cart=cart, line_id=line_id, quantity=0, now=clock.now())
    return _shown(session, cart, actor, clock, settings)


@router.put(
    "/{cart_id}/coupon",
    summary="Apply a coupon as the only one",
    dependencies=EVERYBODY,
    responses=problem_responses(404, 409, 422),
)
def apply_coupon(
    *,
    session: WriteSession,
    clock: ClockDep,
    settings: SettingsDep,
    actor: OptionalActor,
    cart_id: CartId,
    body: schemas.CartCouponIn,
) -> schemas.CartOut:
    """The code is checked and remembered; a use is claimed only by checkout."""
    cart = _own_cart(session, cart_id, actor)
    service.apply_coupon(session, cart=cart, code=body.code, who=who_asks(session, actor), now=clock.now())
    return _shown(session, cart, actor, clock, settings)


@router.delete(
    "/{cart_id}/coupon", summary="Forget every coupon", dependencies=EVERYBODY, responses=problem_responses(404, 409)
)
def remove_coupon(
    session: WriteSession, clock: ClockDep, settings: SettingsDep, actor: OptionalActor, cart_id: CartId
) -> schemas.CartOut:
    """Also where there was none."""
    cart = _own_cart(session, cart_id, actor)
    service.remove_coupon(session, cart=cart, now=clock.now())
    return _shown(session, cart, actor, clock, settings)


@router.post(
    "/{cart_id}/coupons",
    summary="Apply one more coupon",
    dependencies=EVERYBODY,
    responses=problem_responses(404, 409, 422),
)
def add_coupon(
    *,
    session: WriteSession,
    clock: ClockDep,
    settings: SettingsDep,
    actor: OptionalActor,
    cart_id: CartId,
    body: schemas.CartCouponIn,
) -> schemas.CartOut:
    """Of all codes and offers the best combination for the shopper applies; `trace` says why the others do not."""
    cart = _own_cart(session, cart_id, actor)
    service.add_coupon(session, cart=cart, code=body.code, who=who_asks(session, actor), now=clock.now())
    return _shown(session, cart, actor, clock, settings)


@router.delete(
    "/{cart_id}/coupons/{code}",
    summary="Forget one coupon",
    dependencies=EVERYBODY,
    responses=problem_responses(404, 409, 422),
)
def remove_one_coupon(
    *,
    session: WriteSession,
    clock: ClockDep,
    settings: SettingsDep,
    actor: OptionalActor,
    cart_id: CartId,
    code: Annotated[str, Path(max_length=40, examples=["DIWALI10"])],
) -> schemas.CartOut:
    """Also where it was not there."""
    cart = _own_cart(session, cart_id, actor)
    service.remove_coupon(session, cart=cart, code=code, now=clock.now())
    return _shown(session, cart, actor, clock, settings)


@router.put(
    "/{cart_id}/prices", summary="Accept today's prices", dependencies=EVERYBODY, responses=problem_responses(404, 409)
)
def accept_prices(
    session: WriteSession, clock: ClockDep, settings: SettingsDep, actor: OptionalActor, cart_id: CartId
) -> schemas.CartOut:
    """After a `price-changed` refusal: quote every line anew, then check out again."""
    cart = _own_cart(session, cart_id, actor)
    service.accept_prices(session, cart=cart, now=clock.now())
    return _shown(session, cart, actor, clock, settings)


@router.put(
    "/{cart_id}/owner",
    summary="Take a guest's cart along after logging in",
    dependencies=CUSTOMERS,
    responses=problem_responses(401, 404, 409),
)
def adopt(
    session: WriteSession, clock: ClockDep, settings: SettingsDep, actor: CurrentActor, cart_id: CartId
) -> schemas.CartOut:
    """The cart becomes the caller's; where they have an open one, the lines join it. Go on with the cart answered."""
    if actor.customer_id is None:
        raise NotFound("this account has no customer profile")
    guest_cart = _own_cart(session, cart_id, actor)
    cart = service.adopt_guest_cart(session, guest_cart=guest_cart, customer_id=actor.customer_id, now=clock.now())
    return _shown(session, cart, actor, clock, settings)


def _own_cart(session: Session, cart_id: str, actor: Actor) -> service.Cart:
    return service.get_cart(session, public_id=cart_id, customer_id=actor.customer_id)


def who_asks(session: Session, actor: Actor) -> service.Who:
    """The shopper, looked up only where an offer depends on who they are."""
    return partial(service.shopper, session, customer_id=actor.customer_id, is_staff=bool(actor.permissions))


def _shown(
    session: Session,
    cart: service.Cart,
    actor: Actor,
    clock: Clock,
    settings: Settings,
    *,
    redeem_points: int = 0,
    destination: service.Destination | None = None,
    contents: service.Contents | None = None,
) -> schemas.CartOut:
    priced = service.price_cart(
        session,
        cart=cart,
        now=clock.now(),
        settings=settings,
        redeem_points=redeem_points,
        customer_id=actor.customer_id,
        who=who_asks(session, actor),
        destination=destination,
        contents=contents,
    )
    return schemas.CartOut.of(cart, priced, [one.code for one in service.codes_of(session, cart)])
