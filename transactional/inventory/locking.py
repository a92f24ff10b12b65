"""Several moves of stock in one transaction: whoever makes them takes all of the levels first, in one pass."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.catalog.service import inventory_policies
from transactional.inventory.bundles import recipes
from transactional.inventory.models import Location, StockLevel


def lock_levels(session: Session, variant_ids: Iterable[int]) -> None:
    """Lock every level of these variants, and of a bundle's parts, in the order that all promises and ends follow.

    One transaction that frees some goods and promises others would else take the levels in two passes, and could wait
    in a ring with another one.
    """
    wanted = set(variant_ids)
    if not wanted:
        return
    parts_of = recipes(session, inventory_policies(session, wanted))
    wanted.update(component for parts in parts_of.values() for component in parts)
    session.execute(
        select(StockLevel.variant_id)
        .join(Location, Location.id == StockLevel.location_id)
        .where(StockLevel.variant_id.in_(wanted))
        .order_by(StockLevel.variant_id, Location.priority, StockLevel.location_id)
        .with_for_update(of=StockLevel)
    ).all()
