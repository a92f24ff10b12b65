"""A visit: looking around, filling a basket, leaving it, or ordering and paying."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.behaviour import service as behaviour
from transactional.behaviour.service import Event, EventType
from transactional.cart import service as carts
from transactional.checkout import service as checkout
from transactional.core.errors import ShopError
from transactional.loyalty import service as loyalty
from transactional.orders.service import Order, OrderStatus, PaymentMode
from transactional.simulation import aftermath, approving, inviting, partners, paying, wording
from transactional.simulation.choosing import COMPANIONS
from transactional.simulation.couponing import use_coupon
from transactional.simulation.gifts import Gift
from transactional.simulation.places import Place
from transactional.simulation.shoppers import Shopper, Visit
from transactional.simulation.stage import Stage, actor_of

_ON_DELIVERY = 0.15
_SENT_TO_FAMILY = 0.3


def register(stage: Stage, shopper: Shopper) -> None:
    """Open an account; guests never do."""

    def job(session: Session) -> int:
        return accounts.register_customer(
            session,
            email=shopper.email,
            full_name=shopper.name,
            password_hash=stage.password_hash,
            country="India",
            city=shopper.home.city,
            birthday=shopper.birthday,
            acquisition_channel=shopper.channel,
            marketing_consent=shopper.consents,
            now=stage.now,
        ).id

    shopper.customer_id = stage.work("registration", job)
    stage.counts["registrations"] += 1
    partners.after_registration(stage, shopper)


@dataclass(slots=True)
class _Walk:
    """The trail of one visit through the shop, a minute or less between steps."""

    stage: Stage
    shopper: Shopper
    session_id: str
    events: list[Event] = field(default_factory=list)

    def step(self, kind: EventType, product: str | None = None, **properties: object) -> None:
        self.stage.counts["events"] += 1
        number = self.stage.counts["events"]
        moment = self.stage.now + timedelta(seconds=20 * len(self.events))
        event = Event(
            event_id=f"sim-{number:08d}",
            type=kind,
            anonymous_id=f"device-{self.shopper.number:06d}",
            session_id=self.session_id,
            product_id=None if product is None else self.stage.shelf.products[product],
            properties=properties,
            client_time=moment,
            consent_version="1",
        )
        self.events.append(event)


def visit(stage: Stage, planned: Visit) -> None:
    """Play one visit through the shop's services."""
    shopper = planned.shopper
    stage.counts["visits"] += 1
    walk = _Walk(stage, shopper, f"session-{stage.counts['visits']:07d}")
    liked = stage.tastes.choose(stage.rng, shopper, planned.occasion, stage.rng.randint(3, 8))
    _look_around(walk, liked, planned.occasion)
    wish, hesitation = stage.shelf.temptation.moods(
        shopper,
        wants=planned.wants_to_buy,
        hesitation=0.16 + 0.06 * min(shopper.price_sensitivity, 3.0),
        now=stage.now,
    )
    basket = _basket(stage, shopper, liked, planned) if stage.chance(wish) else {}
    hesitates = stage.chance(hesitation)
    partner = partners.link_of_visit(stage, shopper)

    def job(session: Session) -> Order | None:
        if partner is not None:
            partners.click(session, stage, shopper, partner)
        cart = _fill_cart(session, walk, basket) if basket else None
        order = None
        if cart is not None and not hesitates:
            order = _place(session, walk, cart, basket, planned.occasion)
        behaviour.record(session, walk.events, customer_id=shopper.customer_id, now=stage.now)
        return order

    order = stage.work(actor_of(shopper), job)
    if order is not None:
        _settle(stage, shopper, order, basket)
    elif basket:
        stage.counts["abandoned carts"] += 1


def _look_around(walk: _Walk, liked: Sequence[Gift], occasion: str | None) -> None:
    stage = walk.stage
    if stage.chance(0.4):
        walk.step(EventType.SEARCH, query=wording.search(stage.rng, occasion), results=stage.rng.randint(4, 40))
        source = "search"
    elif stage.chance(0.6):
        walk.step(EventType.CATEGORY_VIEW, category_id=stage.shelf.categories[liked[0].category])
        source = "category"
    else:
        source = "direct"
    for gift in liked:
        walk.step(EventType.VIEW, gift.sku, source=source)


def _basket(stage: Stage, shopper: Shopper, liked: Sequence[Gift], planned: Visit) -> dict[Gift, int]:
    """The best liked gift, at times with something that goes with it; feasts need several of the same."""
    first = liked[0]
    several = 0.3 if planned.occasion in ("diwali", "rakhi") else 0.08
    basket = {first: stage.rng.randint(2, 4) if stage.chance(several) else 1}
    if stage.chance(0.4):
        companion = COMPANIONS.get(first.category) if stage.chance(0.7) else None
        more = stage.tastes.choose(stage.rng, shopper, planned.occasion, 2, category=companion)
        basket.setdefault(next((gift for gift in more if gift is not first), first), 1)
    if stage.chance(0.12):
        basket.setdefault(liked[1], 1)
    return basket


def _fill_cart(session: Session, walk: _Walk, basket: dict[Gift, int]) -> carts.Cart:
    stage = walk.stage
    cart = carts.create_cart(
        session, currency=stage.settings.base_currency, now=stage.now, customer_id=walk.shopper.customer_id_for_cart
    )
    wanted = [
        carts.Wanted(stage.shelf.variants[gift.sku], quantity, _wish(stage, walk.shopper, gift))
        for gift, quantity in basket.items()
    ]
    carts.fill_new_cart(session, cart=cart, wanted=wanted, now=stage.now)
    for gift, quantity in basket.items():
        walk.step(EventType.ADD_TO_CART, gift.sku, variant_id=stage.shelf.variants[gift.sku], quantity=quantity)
    return cart


def _wish(stage: Stage, shopper: Shopper, gift: Gift) -> dict[str, object]:
    """What shall be printed or engraved, where anything can be."""
    return {"text": shopper.name.split()[0]} if gift.customisable and stage.chance(0.7) else {}


def _place(
    session: Session, walk: _Walk, cart: carts.Cart, basket: dict[Gift, int], occasion: str | None
) -> Order | None:
    """Order; what the shop refuses (nothing left on the shelf, a coupon used up) ends the visit."""
    stage, shopper = walk.stage, walk.shopper
    walk.step(EventType.CHECKOUT_STARTED, items=sum(basket.values()), currency=stage.settings.base_currency)
    gross = sum(gift.price * 100 * quantity for gift, quantity in basket.items())
    try:
        with session.begin_nested():
            use_coupon(session, stage, shopper, cart)
            return checkout.place_order(
                session,
                cart_public_id=cart.public_id,
                customer_id=shopper.customer_id_for_cart,
                email=shopper.email if shopper.is_guest else None,
                ship_to=shopper.address(_destination(stage, shopper, occasion)),
                redeem_points=_points(session, stage, shopper, gross),
                occasion=occasion,
                gift_message=wording.gift_message(stage.rng, occasion),
                payment_mode=PaymentMode.ON_DELIVERY if stage.chance(_ON_DELIVERY) else PaymentMode.ONLINE,
                visitor_id=stage.shelf.circle.visitors.get(shopper.number),
                referral_code=partners.code_for(stage, shopper) or inviting.code_for(session, stage, shopper),
                now=stage.now,
                settings=stage.settings,
            )
    except ShopError as refusal:
        stage.counts[f"refused: {refusal.code}"] += 1
        return None


def _destination(stage: Stage, shopper: Shopper, occasion: str | None) -> Place:
    """Some gifts for an occasion go straight to those who celebrate."""
    return shopper.family if occasion is not None and stage.chance(_SENT_TO_FAMILY) else shopper.home


def _points(session: Session, stage: Stage, shopper: Shopper, gross_minor: int) -> int:
    if shopper.customer_id is None or shopper.is_guest or not stage.chance(shopper.likes_points):
        return 0
    offer = loyalty.redemption_offer(
        session, customer_id=shopper.customer_id, merchandise_minor=gross_minor * 8 // 10, now=stage.now
    )
    return offer.max_points if offer is not None else 0


def _settle(stage: Stage, shopper: Shopper, order: Order, basket: dict[Gift, int]) -> None:
    """After the order: remember, agree to the design, pay, and let the shop do its part."""
    stage.counts["orders"] += 1
    shopper.customer_id = order.customer_id
    inviting.after_order(stage, shopper)
    for gift, quantity in basket.items():
        shopper.bought[gift.sku] = shopper.bought.get(gift.sku, 0) + quantity

    def go_on() -> None:
        aftermath.plan(stage, shopper, order.id)

    if order.status is OrderStatus.AWAITING_APPROVAL:
        approving.plan(stage, shopper, order, go_on)
    elif order.payment_mode is PaymentMode.ONLINE and order.total_minor > 0:
        paying.pay(stage, shopper, order.id, go_on)
    else:
        go_on()
