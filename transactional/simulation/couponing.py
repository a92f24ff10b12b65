"""Shoppers and codes: which ones they know of, and try at the till."""

from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.cart import service as carts
from transactional.core.errors import ShopError
from transactional.promotions.service import Person
from transactional.simulation.offers import FRIENDS_COUPON, WELCOME_COUPON
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import Stage

_NEWCOMER_TRIES = 0.5
_USES_LETTER = 0.7
_FRIEND_TRIES = 0.5
_PATIENCE = 2
"""So many codes are tried at most."""
_ZEAL = 0.5
"""Even whoever likes coupons does not look for one every time."""


def use_coupon(session: Session, stage: Stage, shopper: Shopper, cart: carts.Cart) -> None:
    """Try the codes that the shopper knows, the best first, until the shop takes one."""
    who = Person(customer_id=cart.customer_id, email=accounts.identity_key(shopper.email))
    for code in _known(stage, shopper)[:_PATIENCE]:
        try:
            # A code that is refused has written nothing.
            carts.add_coupon(session, cart=cart, code=code, now=stage.now, who=lambda: who)
        except ShopError:
            continue
        stage.counts["coupons applied"] += 1
        if code == shopper.letter:
            stage.counts["coupons of letters used"] += 1
            shopper.letter = None
        return


def _known(stage: Stage, shopper: Shopper) -> list[str]:
    known = []
    if shopper.letter is not None and stage.chance(_USES_LETTER):
        known.append(shopper.letter)
    if stage.chance(shopper.likes_coupons * _ZEAL):
        running = [code for code, (opens, closes) in stage.shelf.coupons.items() if opens <= stage.now < closes]
        known += reversed(running)
    if not shopper.bought and stage.chance(_NEWCOMER_TRIES):
        known.append(WELCOME_COUPON)
    elif shopper.is_friend and stage.chance(_FRIEND_TRIES):
        known.append(FRIENDS_COUPON)
    return known
