"""Second thoughts before a parcel is packed: orders called off, in whole or in part, edited, sent elsewhere."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from transactional.core.errors import ShopError
from transactional.orders import service as orders
from transactional.orders.service import AddedUnits, ChangeStatus, OrderChange, OrderLine, WantedChange
from transactional.shipping import service as shipping
from transactional.simulation import paying
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import Stage, actor_of

_CALLS_A_PART_OFF = 0.02
_EDITS = 0.04
_MOVES = 0.02
_DECLINES = 0.1
_FORGETS_TO_PAY = 0.12


def plan(stage: Stage, shopper: Shopper, order_id: int) -> None:
    """Plan what becomes of an order between payment and packing; most are left as they are."""
    if stage.chance(_CALLS_A_PART_OFF):
        stage.later(stage.after(0.5, 6), lambda: _call_part_off(stage, shopper, order_id))
    elif stage.chance(_EDITS):
        stage.later(stage.after(0.5, 6), lambda: _edit(stage, shopper, order_id))
    elif stage.chance(_MOVES):
        stage.later(stage.after(0.5, 6), lambda: _move(stage, shopper, order_id))


def call_off(stage: Stage, shopper: Shopper, order_id: int) -> None:
    """Cancel the whole order."""
    reason = stage.rng.choice(("changed my mind", "ordered twice", "found it elsewhere", "comes too late"))
    stage.work(
        actor_of(shopper),
        lambda session: (
            orders.cancel(session, order_id=order_id, actor=actor_of(shopper), reason=reason, now=stage.now).id
        ),
    )
    stage.counts["cancellations"] += 1


def _call_part_off(stage: Stage, shopper: Shopper, order_id: int) -> None:
    """One unit less, where there is more than one."""

    def job(session: Session) -> bool:
        boxed = shipping.units_in_parcels(session, order_id)
        lines = [line for line in _open_lines(session, order_id) if line.id not in boxed]
        if sum(line.unshipped_quantity for line in lines) < 2:
            return False
        units = {stage.rng.choice(lines).id: 1}
        orders.cancel_units(
            session, order_id=order_id, units=units, actor=actor_of(shopper), reason="one too many", now=stage.now
        )
        return True

    stage.counts["partial cancellations"] += stage.work(actor_of(shopper), job)


def _edit(stage: Stage, shopper: Shopper, order_id: int) -> None:
    """Something more, something else, or something less."""

    def wanted(session: Session) -> WantedChange | None:
        lines = _open_lines(session, order_id)
        units = sum(line.unshipped_quantity for line in lines)
        if not units:
            return None
        remove = {stage.rng.choice(lines).id: 1}
        if units > 1 and stage.chance(0.35):
            return WantedChange(remove=remove)
        liked = stage.tastes.choose(stage.rng, shopper, None, 1)[0]
        add = [AddedUnits(stage.shelf.variants[liked.sku], 1)]
        return WantedChange(remove=remove, add=add) if stage.chance(0.3) else WantedChange(add=add)

    change = _propose(stage, shopper, order_id, stage.look(wanted))
    if change is None:
        return
    stage.counts["order edits"] += 1
    if change.status is ChangeStatus.AWAITING_PAYMENT and not stage.chance(_FORGETS_TO_PAY):
        paying.pay(stage, shopper, order_id, lambda: None)


def _move(stage: Stage, shopper: Shopper, order_id: int) -> None:
    """The parcel shall go to the relatives instead, or home."""
    present = stage.look(lambda session: orders.get_order(session, order_id).ship_to)
    place = shopper.home if present.get("postal_code") != shopper.home.postal_code else shopper.family
    if _propose(stage, shopper, order_id, WantedChange(ship_to=shopper.address(place))) is not None:
        stage.counts["address changes"] += 1


def _propose(stage: Stage, shopper: Shopper, order_id: int, wanted: WantedChange | None) -> OrderChange | None:
    """Draft a change and agree to it, or not; None where it does not happen."""
    if wanted is None:
        return None
    actor = actor_of(shopper)

    def job(session: Session) -> OrderChange | None:
        try:
            with session.begin_nested():
                change = orders.draft_change(
                    session, order_id=order_id, wanted=wanted, actor=actor, reason="asked by phone", now=stage.now
                )
                if stage.chance(_DECLINES):
                    orders.decline_change(session, change_id=change.id, actor=actor, now=stage.now)
                    return None
                return orders.apply_change(session, change_id=change.id, actor=actor, now=stage.now)
        except ShopError as refusal:
            stage.counts[f"refused change: {refusal.code}"] += 1
            return None

    return stage.work(actor, job)


def _open_lines(session: Session, order_id: int) -> Sequence[OrderLine]:
    return [line for line in orders.lines_of(session, order_id) if line.unshipped_quantity]
