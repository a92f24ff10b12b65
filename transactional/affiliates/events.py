"""When commission and referrals are looked at: after an order's steps, changes and refunds, and when windows end.

Others' topics only leave a message of our own, so that an order that cannot be settled holds up nobody else.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from transactional.affiliates import settlement
from transactional.core.jobs import every
from transactional.core.outbox import follows, handles, publish
from transactional.core.uow import Database
from transactional.orders.service import ORDER_CHANGED, STATUS_CHANGED, OrderStatus
from transactional.payments.service import Refund

log = structlog.stdlib.get_logger("transactional.affiliates")

SETTLE = "affiliates.settle"
"""Outbox topic {order_id}: bring commission and referral in line with the order."""

REFUND_ORDERED = "payments.send_refund"
"""Payments' topic {refund_id}: money of an order goes back."""

ACTOR = "affiliates"

_TELLING = frozenset({OrderStatus.PAID, OrderStatus.PARTIALLY_DELIVERED, OrderStatus.DELIVERED, OrderStatus.CANCELLED})
_BATCH = 200
_REMEMBERED = timedelta(days=2)


@follows(STATUS_CHANGED)
def after_step(database: Database, payload: dict[str, Any]) -> None:
    """An order was paid, delivered or called off."""
    if payload["to"] in _TELLING:
        _ask_if_concerned(database, payload["order_id"], f"{payload['to']}:{payload['occurred_at']}")


@follows(ORDER_CHANGED)
def after_change(database: Database, payload: dict[str, Any]) -> None:
    """A change set happened: lines joined the order, or units were called off."""
    _ask_if_concerned(database, payload["order_id"], f"change:{payload['change_id']}")


@follows(REFUND_ORDERED)
def after_refund(database: Database, payload: dict[str, Any]) -> None:
    """Money goes back: for units that came back, or for none."""
    with database.read() as session:
        refund = session.get(Refund, payload["refund_id"])
    if refund is not None and refund.order_id is not None:
        _ask_if_concerned(database, refund.order_id, f"refund:{refund.id}")


@handles(SETTLE)
def settle(database: Database, payload: dict[str, Any]) -> None:
    """Do it; repeating it changes nothing."""
    _settle(database, payload["order_id"])


@every(timedelta(hours=1), name="affiliates.settle_due")
def settle_due(database: Database) -> int:
    """Approve commission and grant rewards whose return window is over; gives the number of orders looked at."""
    looked_at = after = 0
    while True:
        with database.read() as session:
            found = settlement.orders_to_look_at(session, now=database.clock.now(), after_order_id=after, limit=_BATCH)
        _settle_each(database, found)
        looked_at += len(found)
        if len(found) < _BATCH:
            return looked_at
        after = found[-1]


@every(timedelta(hours=6), name="affiliates.catch_up")
def catch_up(database: Database) -> int:
    """Units that came back without a refund, of which no message tells, take their commission back as well."""
    with database.read() as session:
        found = settlement.recently_given_back(session, since=database.clock.now() - _REMEMBERED)
    _settle_each(database, found)
    return len(found)


def _settle_each(database: Database, order_ids: Sequence[int]) -> None:
    """One order that cannot be settled must not keep the others waiting; the next round tries it again."""
    for order_id in order_ids:
        try:
            _settle(database, order_id)
        except Exception as error:  # noqa: BLE001  whatever it is, the others are not to blame
            log.error("commission not settled", order_id=order_id, error=f"{type(error).__name__}: {error}"[:300])


def _settle(database: Database, order_id: int) -> None:
    def work(session: Session) -> None:
        settlement.settle(session, order_id=order_id, now=database.clock.now())

    database.run(work, actor=ACTOR)


def _ask_if_concerned(database: Database, order_id: int, cause: str) -> None:
    """Look first, which costs one statement; most orders were sent by nobody."""
    with database.read() as session:
        concerned = settlement.may_concern(session, order_id)
    if not concerned:
        return

    def work(session: Session) -> None:
        key = f"{SETTLE}:{order_id}:{cause}"
        publish(session, SETTLE, {"order_id": order_id}, dedup_key=key, now=database.clock.now())

    database.run(work, actor=ACTOR)
