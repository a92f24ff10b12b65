"""Limits per person: a use takes a slot under each of the person's keys, and a slot is taken once while it lives.

Whoever claims a use of a code (or of a promotion that counts its uses) has locked its counter first, so the slots are
read without a race. First orders have no such row: there the unique slot itself decides between two at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.errors import Conflict
from transactional.promotions.models import RedemptionKey

FIRST_ORDER = "first_order"


class CouponRefused(Conflict):
    """An offer gives nothing to this basket, person or moment; the detail says why."""

    code = "coupon-refused"
    title = "This coupon cannot be used"


class _Terms(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def per_customer_limit(self) -> int | None: ...


class Limited(Protocol):
    """What limits are read from."""

    @property
    def promotion_id(self) -> int:
        """The promotion."""
        ...

    @property
    def per_customer_limit(self) -> int | None:
        """Of the promotion as a whole."""
        ...

    @property
    def is_limited(self) -> bool:
        """Whether uses of the promotion as a whole are counted."""
        ...

    @property
    def for_first_order(self) -> bool:
        """Whether it is for somebody's first order only."""
        ...

    @property
    def code(self) -> _Terms | None:
        """The code that brings it."""
        ...


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots to take for one redemption within a scope; `most` per person, None without limit."""

    redemption_id: int
    scope: str
    most: int | None


def scopes_of(offer: Limited) -> list[tuple[str, int | None]]:
    """Every scope that a use counts in, with the most that one person may use there."""
    scopes: list[tuple[str, int | None]] = []
    if offer.code is not None:
        scopes.append((f"code:{offer.code.id}", offer.code.per_customer_limit))
    if offer.is_limited:
        scopes.append((f"promotion:{offer.promotion_id}", offer.per_customer_limit))
    if offer.for_first_order:
        scopes.append((FIRST_ORDER, 1))
    return scopes


def used_up(session: Session, limits: Mapping[str, int], keys: Sequence[str]) -> frozenset[str]:
    """The scopes in which the person with these keys has no use left. Asks nothing where there is no limit."""
    if not limits or not keys:
        return frozenset()
    uses: dict[str, set[int]] = {}
    live = select(RedemptionKey.scope, RedemptionKey.redemption_id).where(
        RedemptionKey.scope.in_(sorted(limits)),
        RedemptionKey.identity_key.in_(keys),
        RedemptionKey.slot.is_not(None),
    )
    for scope, redemption_id in session.execute(live):
        uses.setdefault(scope, set()).add(redemption_id)
    return frozenset(scope for scope, redemptions in uses.items() if len(redemptions) >= limits[scope])


def take_slots(session: Session, wanted: Sequence[Slots], keys: Sequence[str]) -> dict[int, int]:
    """Take a slot under every key for each redemption and scope; gives each redemption's first slot number.

    Raises CouponRefused where the person has no use left, also where another order was faster; the caller rolls back.
    """
    if not wanted or not keys:
        return {}
    taken = _taken(session, {slots.scope for slots in wanted}, keys)
    rows = []
    numbers: dict[int, int] = {}
    for slots in sorted(wanted, key=lambda one: (one.scope, one.redemption_id)):
        by_key = taken.get(slots.scope, {})
        uses = {redemption for held in by_key.values() for redemption in held.values()}
        if slots.most is not None and len(uses) >= slots.most:
            raise _no_more(slots.scope)
        for key in keys:
            held = by_key.get(key, {})
            slot = next(number for number in range(1, len(held) + 2) if number not in held)
            numbers.setdefault(slots.redemption_id, slot)
            rows.append({"redemption_id": slots.redemption_id, "scope": slots.scope, "identity_key": key, "slot": slot})
    written = session.scalars(
        insert_into(session, RedemptionKey)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["scope", "identity_key", "slot"])
        .returning(RedemptionKey.id)
    ).all()
    if len(written) < len(rows):
        raise _no_more(FIRST_ORDER)
    return numbers


def _taken(session: Session, scopes: set[str], keys: Sequence[str]) -> dict[str, dict[str, dict[int, int]]]:
    """Live slots: scope → key → slot → redemption."""
    rows = session.execute(
        select(RedemptionKey.scope, RedemptionKey.identity_key, RedemptionKey.slot, RedemptionKey.redemption_id).where(
            RedemptionKey.scope.in_(sorted(scopes)),
            RedemptionKey.identity_key.in_(keys),
            RedemptionKey.slot.is_not(None),
        )
    )
    taken: dict[str, dict[str, dict[int, int]]] = {}
    for scope, key, slot, redemption_id in rows:
        assert slot is not None, "a live use has its slot"
        taken.setdefault(scope, {}).setdefault(key, {})[slot] = redemption_id
    return taken


def _no_more(scope: str) -> CouponRefused:
    if scope == FIRST_ORDER:
        return CouponRefused("this is for a first order, and there is one already")
    return CouponRefused("you have used it as often as one may")
