"""Another address for an order that has not been packed: whether anybody goes there, and what that costs.

What counts is the difference between the tariff's charges to the two places for the goods that the order will have, as
the tariff is now. A dearer place is paid for before the change happens, a cheaper one gives the difference back, never
more than was charged.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from transactional.catalog import service as catalog
from transactional.core.errors import InvalidInput
from transactional.orders.change_models import OrderChange, OrderChangeLine
from transactional.orders.models import Order, OrderLine
from transactional.settings import Settings, get_settings
from transactional.shipping import service as shipping


def shipping_difference(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    ship_to: Mapping[str, Any],
    *,
    remove: Mapping[int, int],
    added: Sequence[OrderChangeLine],
) -> int:
    """What sending to `ship_to` costs more than to the order's address, in minor units; negative: less.

    Raises InvalidInput for a place that nobody serves.
    """
    old, new = _place(order.ship_to), _place(ship_to)
    if old == new:
        return 0
    goods = _goods(lines, remove, added)
    settings = get_settings()
    weight = _weight(session, goods, settings)
    merchandise = sum(minor for _variant, _quantity, minor in goods)

    def charge(place: tuple[str, str]) -> int:
        return shipping.quote(
            session,
            merchandise_minor=merchandise,
            settings=settings,
            weight_grams=weight,
            postal_code=place[0],
            country=place[1],
            currency=order.currency,
        ).amount_minor

    to_new = charge(new)
    try:
        to_old = charge(old)
    except InvalidInput:  # nobody goes there any more: perhaps the reason for the change
        to_old = order.shipping_minor
    return max(to_new - to_old, -order.shipping_minor)


def redirect(session: Session, order: Order, change: OrderChange) -> None:
    """The new address of a settled change is the order's, and so is the charge for it."""
    assert change.ship_to is not None, "only a change of the address redirects"
    order.ship_to = change.ship_to
    order.ship_country = change.ship_to.get("country")
    order.ship_city = change.ship_to.get("city")
    if change.shipping_minor:
        order.shipping_minor += change.shipping_minor
        order.total_minor += change.shipping_minor
    session.flush()


def _place(address: Mapping[str, Any]) -> tuple[str, str]:
    return str(address.get("postal_code") or ""), str(address.get("country") or "")


def _goods(
    lines: Sequence[OrderLine], remove: Mapping[int, int], added: Sequence[OrderChangeLine]
) -> list[tuple[int, int, int]]:
    """Variant, units and their price after discounts of what the order will have; points count as payment."""
    kept = [
        (line.variant_id, quantity, (line.net_minor + line.points_discount_minor) * quantity // line.quantity)
        for line in lines
        if (quantity := line.unshipped_quantity - remove.get(line.id, 0)) > 0
    ]
    return kept + [(part.variant_id, part.quantity, part.net_minor) for part in added]


def _weight(session: Session, goods: Sequence[tuple[int, int, int]], settings: Settings) -> int:
    variants = catalog.variants_by_id(session, {variant for variant, _quantity, _minor in goods})
    weighed = [(variants[variant].weight_grams, quantity) for variant, quantity, _minor in goods]
    return shipping.weigh(weighed, default_grams=settings.shipping_default_item_grams)
