"""Baskets. Who knows the public id of a guest's cart owns it; a customer's cart is that customer's alone.

Every change first takes the cart's row while it is open, so that nothing slips into a basket that is being ordered.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from transactional.accounts.service import get_customer
from transactional.cart import coupons
from transactional.cart.coupons import codes_of
from transactional.cart.coupons import remember as remember_code
from transactional.cart.models import Cart, CartLine, CartStatus
from transactional.cart.offering import Who
from transactional.cart.pricing import QUOTE_HONOURED, Issue, PricedCart, PricedLine
from transactional.cart.quoting import Contents, Destination, price_cart, read_contents, refusal_of
from transactional.catalog.service import (
    SellableVariant,
    buyable_variants,
    canonical_customisation,
    checked_customisation,
)
from transactional.core.db import insert_into
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.core.ids import public_id as new_public_id
from transactional.core.money import contained_tax
from transactional.promotions.service import CouponRefused, EnteredCode, Person

__all__ = [
    "QUOTE_HONOURED",
    "Cart",
    "CartLine",
    "CartStatus",
    "Contents",
    "Destination",
    "Issue",
    "PricedCart",
    "PricedLine",
    "Wanted",
    "Who",
    "accept_prices",
    "add_coupon",
    "add_line",
    "adopt_guest_cart",
    "apply_coupon",
    "codes_of",
    "contained_tax",
    "create_cart",
    "fill_new_cart",
    "get_cart",
    "lines_of",
    "price_cart",
    "read_contents",
    "remember_code",
    "remove_coupon",
    "set_quantity",
    "shopper",
    "take_for_order",
]

MAX_LINES = 100
MAX_QUANTITY = 999

# Built once: every checkout asks.
_TAKE_FOR_ORDER = (
    update(Cart)
    .where(Cart.public_id == bindparam("of_public_id"), Cart.status == CartStatus.OPEN)
    .where(or_(Cart.customer_id.is_(None), Cart.customer_id == bindparam("of_customer")))
    .values(status=CartStatus.ORDERED, updated_at=bindparam("taken_at"))
    .returning(Cart)
    .execution_options(synchronize_session=False, populate_existing=True)
)


def create_cart(
    session: Session, *, currency: str, now: datetime, customer_id: int | None = None, channel: str = "web"
) -> Cart:
    """An empty basket, a guest's without `customer_id`."""
    cart = Cart(
        public_id=new_public_id("cart"),
        customer_id=customer_id,
        currency=currency,
        channel=channel,
        status=CartStatus.OPEN,
        created_at=now,
        updated_at=now,
    )
    session.add(cart)
    session.flush()
    return cart


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units that a shopper puts into a basket."""

    variant_id: int
    quantity: int = 1
    customisation: Mapping[str, Any] = field(default_factory=dict)


def fill_new_cart(session: Session, *, cart: Cart, wanted: Sequence[Wanted], now: datetime) -> Contents:
    """Put everything into a basket that nobody else knows yet, at today's prices; gives what lies in it then.

    Equal articles become one line. Raises NotFound for what is not for sale, InvalidInput for a bad quantity or
    customisation or too many lines.
    """
    ids = [each.variant_id for each in wanted]
    buyable = buyable_variants(session, ids, currency=cart.currency, channel=cart.channel, now=now)
    lines: dict[str, CartLine] = {}
    for each in wanted:
        _add_to(lines, cart, _of(buyable, each.variant_id), each, now)
    if len(lines) > MAX_LINES:
        raise InvalidInput(f"a cart has at most {MAX_LINES} lines")
    session.add_all(lines.values())
    session.flush()
    return Contents(list(lines.values()), buyable)


def _add_to(lines: dict[str, CartLine], cart: Cart, variant: SellableVariant, wanted: Wanted, now: datetime) -> None:
    """Add to the line of the same article, or make one."""
    _check_quantity(wanted.quantity)
    customisation = checked_customisation(variant, wanted.customisation)
    key = line_key(variant.variant_id, customisation)
    if key in lines:
        lines[key].quantity += wanted.quantity
        _check_quantity(lines[key].quantity)
        return
    lines[key] = CartLine(
        cart_id=cart.id,
        variant_id=variant.variant_id,
        quantity=wanted.quantity,
        line_key=key,
        customisation=customisation,
        quoted_unit_minor=variant.price_minor,
        quoted_at=now,
    )


def get_cart(session: Session, *, public_id: str, customer_id: int | None = None) -> Cart:
    """The cart, if it is a guest's or `customer_id`'s own. Raises NotFound, also for somebody else's."""
    cart = session.scalar(select(Cart).where(Cart.public_id == public_id))
    if cart is None or (cart.customer_id is not None and cart.customer_id != customer_id):
        raise NotFound("there is no such cart")
    return cart


def lines_of(session: Session, cart: Cart) -> Sequence[CartLine]:
    """The cart's lines in the order in which they came."""
    return session.scalars(
        select(CartLine)
        .where(CartLine.cart_id == cart.id)
        .order_by(CartLine.id)
        .execution_options(populate_existing=True)
    ).all()


def add_line(
    session: Session,
    *,
    cart: Cart,
    variant_id: int,
    now: datetime,
    quantity: int = 1,
    customisation: Mapping[str, Any] | None = None,
) -> CartLine:
    """Put units into the basket at today's price; the same variant with the same customisation adds to its line.

    Raises NotFound for what is not for sale, InvalidInput for a bad quantity or customisation or a full cart, Conflict
    for a cart that was ordered.
    """
    _take(session, cart, now)
    variant = _buyable(session, cart, variant_id, now)
    chosen = checked_customisation(variant, customisation or {})
    line_id = _merge_line(session, cart, variant, customisation=chosen, quantity=quantity, now=now)
    _check_size(session, cart, line_id)
    return session.get_one(CartLine, line_id, populate_existing=True)


def set_quantity(session: Session, *, cart: Cart, line_id: int, quantity: int, now: datetime) -> CartLine | None:
    """Change a line's quantity; 0 removes the line (gives None). The quoted price stays as it was.

    Raises NotFound for a line of another cart, InvalidInput for a bad quantity, Conflict for a cart that was ordered.
    """
    if not 0 <= quantity <= MAX_QUANTITY:
        raise InvalidInput(f"a quantity lies between 0 and {MAX_QUANTITY}, not at {quantity}", field="quantity")
    _take(session, cart, now)
    of_line = (CartLine.id == line_id, CartLine.cart_id == cart.id)
    if quantity == 0:
        found = session.scalar(delete(CartLine).where(*of_line).returning(CartLine.id))
    else:
        found = session.scalar(update(CartLine).where(*of_line).values(quantity=quantity).returning(CartLine.id))
    if found is None:
        raise NotFound("there is no such line in this cart")
    return session.get_one(CartLine, line_id, populate_existing=True) if quantity else None


def accept_prices(session: Session, *, cart: Cart, now: datetime) -> None:
    """The shopper agrees to today's prices: every line that is for sale is quoted anew."""
    _take(session, cart, now)
    lines = lines_of(session, cart)
    buyable = _buyable_lines(session, cart, lines, now)
    for line in lines:
        if line.variant_id in buyable:
            line.quoted_unit_minor = buyable[line.variant_id].price_minor
            line.quoted_at = now
    session.flush()


def apply_coupon(
    session: Session, *, cart: Cart, code: str, now: datetime, identity_key: str | None = None, who: Who | None = None
) -> None:
    """Make a code the cart's only one; see `add_coupon`. `identity_key` is the e-mail of a shopper known by no more."""
    _take(session, cart, now)
    coupons.forget(session, cart=cart)
    person = partial(Person, customer_id=cart.customer_id, email=identity_key)
    _add_coupon(session, cart, code, now, who or person)


def add_coupon(session: Session, *, cart: Cart, code: str, now: datetime, who: Who | None = None) -> None:
    """Remember a code for checkout, beside those that are there. No use is claimed before the order is placed.

    A code that others beat is kept all the same: it may win when the basket changes. Raises CouponRefused where it
    gives nothing to this basket now, InvalidInput for an impossible code or one too many.
    """
    _take(session, cart, now)
    _add_coupon(session, cart, code, now, who or partial(Person, customer_id=cart.customer_id))


def remove_coupon(session: Session, *, cart: Cart, now: datetime, code: str | None = None) -> None:
    """Forget a code, or all of them; also where it is not there."""
    _take(session, cart, now)
    coupons.forget(session, cart=cart, code=code)


def _add_coupon(session: Session, cart: Cart, code: str, now: datetime, who: Who) -> None:
    entered = [*codes_of(session, cart), EnteredCode(code)]
    refusal = refusal_of(session, cart=cart, codes=entered, who=who, now=now)
    if refusal is not None:
        raise CouponRefused(f"{refusal.code}: {refusal.detail}", coupon_code=refusal.code, reason=str(refusal.reason))
    remember_code(session, cart=cart, code=code, now=now)


def adopt_guest_cart(session: Session, *, guest_cart: Cart, customer_id: int, now: datetime) -> Cart:
    """A guest logged in: their basket becomes the customer's, or its lines join the customer's open one.

    Gives the cart to go on with. Raises NotFound where the cart is another customer's.
    """
    if guest_cart.customer_id is not None:
        return get_cart(session, public_id=guest_cart.public_id, customer_id=customer_id)
    own = session.scalar(
        select(Cart)
        .where(Cart.customer_id == customer_id, Cart.status == CartStatus.OPEN, Cart.currency == guest_cart.currency)
        .order_by(Cart.id.desc())
        .limit(1)
    )
    _take(session, guest_cart, now)
    if own is None:
        guest_cart.customer_id = customer_id
        session.flush()
        return guest_cart
    _take(session, own, now)
    _move_lines(session, guest_cart, own)
    return own


def shopper(session: Session, *, customer_id: int | None, is_staff: bool = False) -> Person:
    """Who an account's customer is for offers; nobody known without one."""
    if customer_id is None:
        return Person(is_staff=is_staff)
    customer = get_customer(session, customer_id)
    return Person(customer.id, customer.email, customer.phone, is_staff)


def take_for_order(session: Session, *, public_id: str, now: datetime, customer_id: int | None = None) -> Cart | None:
    """Turn an open cart into an order's and give it; None where it is none of the caller's or open no more.

    Exactly one of several checkouts gets it. Why there is none says `get_cart`.
    """
    return session.scalar(_TAKE_FOR_ORDER, {"of_public_id": public_id, "of_customer": customer_id, "taken_at": now})


def line_key(variant_id: int, customisation: Mapping[str, Any]) -> str:
    """What makes two lines one: the variant and its customisation as canonical JSON, hashed.

    Raises InvalidInput for a customisation that is not plain JSON or too large.
    """
    canonical = canonical_customisation(customisation)
    return hashlib.sha256(b"%d:%s" % (variant_id, canonical)).hexdigest()


def _take(session: Session, cart: Cart, now: datetime) -> None:
    """Lock the cart's row for this transaction if the cart is open. Raises Conflict if it is not."""
    taken = session.scalar(
        update(Cart).where(Cart.id == cart.id, Cart.status == CartStatus.OPEN).values(updated_at=now).returning(Cart.id)
    )
    if taken is None:
        raise Conflict("this cart was ordered already; start a new one")


def _buyable(session: Session, cart: Cart, variant_id: int, now: datetime) -> SellableVariant:
    found = buyable_variants(session, [variant_id], currency=cart.currency, channel=cart.channel, now=now)
    return _of(found, variant_id)


def _of(buyable: Mapping[int, SellableVariant], variant_id: int) -> SellableVariant:
    if variant_id not in buyable:
        raise NotFound(f"variant {variant_id} is not for sale")
    return buyable[variant_id]


def _check_quantity(quantity: int) -> None:
    if not 1 <= quantity <= MAX_QUANTITY:
        raise InvalidInput(f"a quantity lies between 1 and {MAX_QUANTITY}, not at {quantity}", field="quantity")


def _buyable_lines(
    session: Session, cart: Cart, lines: Sequence[CartLine], now: datetime
) -> dict[int, SellableVariant]:
    ids = [line.variant_id for line in lines]
    return buyable_variants(session, ids, currency=cart.currency, channel=cart.channel, now=now)


def _merge_line(
    session: Session,
    cart: Cart,
    variant: SellableVariant,
    *,
    customisation: Mapping[str, Any],
    quantity: int,
    now: datetime,
) -> int:
    _check_quantity(quantity)
    statement = insert_into(session, CartLine).values(
        cart_id=cart.id,
        variant_id=variant.variant_id,
        quantity=quantity,
        line_key=line_key(variant.variant_id, customisation),
        customisation=dict(customisation),
        quoted_unit_minor=variant.price_minor,
        quoted_at=now,
    )
    merged = statement.on_conflict_do_update(
        index_elements=["cart_id", "line_key"],
        set_={
            "quantity": CartLine.quantity + statement.excluded.quantity,
            "quoted_unit_minor": statement.excluded.quoted_unit_minor,
            "quoted_at": statement.excluded.quoted_at,
        },
    )
    return session.scalars(merged.returning(CartLine.id)).one()


def _check_size(session: Session, cart: Cart, line_id: int) -> None:
    lines, most = session.execute(
        select(func.count(), func.max(CartLine.quantity)).where(CartLine.cart_id == cart.id)
    ).one()
    if lines > MAX_LINES:
        raise InvalidInput(f"a cart has at most {MAX_LINES} lines")
    if most > MAX_QUANTITY:
        raise InvalidInput(f"a line has at most {MAX_QUANTITY} units", field="quantity", line_id=line_id)


def _move_lines(session: Session, source: Cart, target: Cart) -> None:
    present = {line.line_key: line for line in lines_of(session, target)}
    for line in lines_of(session, source):
        twin = present.get(line.line_key)
        if twin is None:
            line.cart_id = target.id
        else:
            twin.quantity = min(MAX_QUANTITY, twin.quantity + line.quantity)
            session.delete(line)
    coupons.move(session, source=source, target=target)
    source.status = CartStatus.ABANDONED
    session.flush()
