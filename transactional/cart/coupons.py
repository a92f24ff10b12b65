"""The codes that a shopper entered. They are only remembered: checkout claims their uses."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from transactional.cart.models import Cart, CartCoupon
from transactional.core.db import insert_into
from transactional.core.errors import InvalidInput
from transactional.promotions.service import EnteredCode, normalise_code

MAX_CODES = 10

_CODES = select(CartCoupon).where(CartCoupon.cart_id == bindparam("cart")).order_by(CartCoupon.id)


def codes_of(session: Session, cart: Cart) -> list[EnteredCode]:
    """The cart's codes in the order in which they were entered; asks nothing of the many carts without one."""
    if cart.coupon_code is None:
        return []
    return [EnteredCode(row.code, row.applied_at) for row in _rows(session, cart)]


def remember(session: Session, *, cart: Cart, code: str, now: datetime) -> None:
    """Keep a code that the shop has just called good; entering it again renews that word.

    Raises InvalidInput for an impossible code or one too many.
    """
    clean = normalise_code(code)
    statement = insert_into(session, CartCoupon).values(cart_id=cart.id, code=clean, applied_at=now)
    session.execute(statement.on_conflict_do_update(index_elements=["cart_id", "code"], set_={"applied_at": now}))
    if len(_write_first(session, cart)) > MAX_CODES:
        raise InvalidInput(f"a cart has at most {MAX_CODES} codes", field="code")


def forget(session: Session, *, cart: Cart, code: str | None = None) -> None:
    """Forget a code, or all of them; also where it is not there."""
    of_cart = delete(CartCoupon).where(CartCoupon.cart_id == cart.id)
    if code is not None:
        of_cart = of_cart.where(CartCoupon.code == normalise_code(code))
    session.execute(of_cart.execution_options(synchronize_session=False))
    _write_first(session, cart)


def move(session: Session, *, source: Cart, target: Cart) -> None:
    """The target takes the codes of a cart that joins it, as far as there is room."""
    there = {row.code for row in _rows(session, target)}
    for row in _rows(session, source):
        if row.code not in there and len(there) < MAX_CODES:
            there.add(row.code)
            session.execute(
                update(CartCoupon)
                .where(CartCoupon.id == row.id)
                .values(cart_id=target.id)
                .execution_options(synchronize_session=False)
            )
    _write_first(session, target)


def _rows(session: Session, cart: Cart) -> Sequence[CartCoupon]:
    return session.scalars(_CODES.execution_options(populate_existing=True), {"cart": cart.id}).all()


def _write_first(session: Session, cart: Cart) -> Sequence[CartCoupon]:
    rows = _rows(session, cart)
    cart.coupon_code = rows[0].code if rows else None
    session.flush()
    return rows
