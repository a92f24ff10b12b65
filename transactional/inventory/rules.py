"""What a level is to do by itself: keep units back, warn, allow back-orders, have more bought."""

from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy import true, update
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput
from transactional.inventory.alerts import settle
from transactional.inventory.bundles import read_policies, refuse_bundle
from transactional.inventory.levels import ensure_level
from transactional.inventory.models import ReorderPolicy, StockLevel

_MOST_BASIS_POINTS = 9_999


class LevelRules(TypedDict, total=False):
    """A level's rules, in units; see `StockLevel`. Absent ones stay as they are."""

    threshold: int
    low_stock_level: int
    backorder_limit: int | None
    reorder_policy: ReorderPolicy
    reorder_point: int
    service_level_bp: int


def set_rules(
    session: Session, *, variant_id: int, location_id: int, now: datetime, **rules: Unpack[LevelRules]
) -> StockLevel:
    """Set what is given; the level is made where it is missing, and its alert follows at once.

    Raises NotFound (variant, location), InvalidInput for a bundle, nothing given or figures without sense, Conflict
    where more units are back-ordered than the new limit allows.
    """
    _check(rules)
    refuse_bundle(read_policies(session, [variant_id]))
    ensure_level(session, variant_id, location_id)
    limit = rules.get("backorder_limit")
    level = session.scalar(
        update(StockLevel)
        .where(StockLevel.variant_id == variant_id, StockLevel.location_id == location_id)
        .where(true() if limit is None else StockLevel.on_hand - StockLevel.reserved >= -limit)
        .values(**rules)
        .returning(StockLevel)
        .execution_options(populate_existing=True)
    )
    if level is None:
        raise Conflict(f"more than {limit} units are promised beyond the shelf already: the limit cannot be lower")
    settle(session, level, now=now)
    return level


def _check(rules: LevelRules) -> None:
    if not rules:
        raise InvalidInput("say at least one rule")
    for name in ("low_stock_level", "reorder_point", "backorder_limit"):
        value = rules.get(name)
        if isinstance(value, int) and value < 0:
            raise InvalidInput(f"{name} is not negative", field=name)
    if not 1 <= rules.get("service_level_bp", 1) <= _MOST_BASIS_POINTS:
        raise InvalidInput("the service level lies between 1 and 9999 basis points", field="service_level_bp")
