"""What comes back: single units are sent home, looked at, shelved or written off, and their money goes back."""

from sqlalchemy.orm import Session

from transactional.core.errors import ShopError
from transactional.returns import service as returns
from transactional.returns.service import ReturnCause
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import STAFF, Stage, actor_of

_REFUSED = 0.06
_NEVER_SENT = 0.05
_BROKEN = 0.12

_REASONS = (
    (ReturnCause.CHANGED_MIND, "does not fit the taste"),
    (ReturnCause.CHANGED_MIND, "was given another one"),
    (ReturnCause.NOT_AS_DESCRIBED, "not as expected"),
    (ReturnCause.WRONG_ITEM, "wrong colour"),
    (ReturnCause.LATE, "came too late for the day"),
)
_DISAPPOINTED = (
    (ReturnCause.DAMAGED, "arrived damaged"),
    (ReturnCause.NOT_AS_DESCRIBED, "looks cheaper than in the picture"),
    (ReturnCause.NOT_AS_DESCRIBED, "the name is misspelt"),
)


def plan(stage: Stage, shopper: Shopper, order_id: int, units: dict[int, int], *, disappointed: bool) -> None:
    """Some time after the delivery some units (by order line) are asked to be taken back."""
    stage.later(
        stage.after(10, 200),
        lambda: _ask(stage, shopper, order_id, units, disappointed=disappointed),
    )


def _ask(stage: Stage, shopper: Shopper, order_id: int, units: dict[int, int], *, disappointed: bool) -> None:
    """Ask; staff decide, the parcel comes, the money goes."""
    cause, reason = stage.rng.choice(_DISAPPOINTED if disappointed else _REASONS)

    def job(session: Session) -> int | None:
        try:
            with session.begin_nested():
                return returns.request_return(
                    session,
                    order_id=order_id,
                    quantities=units,
                    reason=reason,
                    cause=cause,
                    window_days=stage.settings.return_window_days,
                    now=stage.now,
                ).id
        except ShopError:
            return None

    return_id = stage.work(actor_of(shopper), job)
    if return_id is None:
        return
    stage.counts["returns"] += 1
    if stage.chance(_REFUSED):
        stage.plan_work(stage.after(4, 40), STAFF, lambda s, then: returns.reject(s, return_id=return_id, now=then))
        return
    stage.plan_work(stage.after(4, 40), STAFF, lambda s, then: returns.approve(s, return_id=return_id, now=then))
    if not stage.chance(_NEVER_SENT):
        broken = cause is ReturnCause.DAMAGED or stage.chance(_BROKEN)
        stage.later(stage.after(72, 190), lambda: _unpack(stage, return_id, broken=broken))


def _unpack(stage: Stage, return_id: int, *, broken: bool) -> None:
    """The units are here: onto the shelf, or written off."""

    def job(session: Session) -> None:
        damaged = [line.id for line in returns.lines_of(session, return_id)] if broken else []
        returns.process(session, return_id=return_id, actor=STAFF, now=stage.now, damaged=damaged)

    stage.work(STAFF, job)
    stage.counts["units written off" if broken else "returns shelved"] += 1
