"""The nightly check that every order is what its history says; what is not becomes an alert that stays until mended."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.journal import JournalEntry
from transactional.core.pagination import Cursor, fetch_page
from transactional.core.uow import Database
from transactional.orders.change_models import OrderChange
from transactional.orders.fold import Difference, Events, differences
from transactional.orders.models import (
    Order,
    OrderDifference,
    OrderLine,
    OrderRefundDecision,
    OrderStatusChange,
    OrderUnitMove,
)
from transactional.orders.queries import get_order, lock_order

log = structlog.stdlib.get_logger("transactional.orders")

Row = TypeVar("Row", OrderLine, OrderStatusChange, OrderUnitMove, OrderChange, OrderRefundDecision)

_BATCH = 500
_TEXT = 300

_FROZEN_OF_ORDER = frozenset(
    {
        "public_id",
        "order_number",
        "cart_id",
        "payment_mode",
        "currency",
        "points_redeemed",
        "points_discount_minor",
        "wrap_minor",
        "tax_included",
        "coupon_code",
        "price_trace",
        "placed_at",
    }
)
_MOVING_OF_LINE = frozenset(
    {
        "cancelled_quantity",
        "shipped_quantity",
        "delivered_quantity",
        "came_back_quantity",
        "returned_quantity",
        "refunded_minor",
    }
)
"""All that may ever change about a line; everything else is frozen."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check found."""

    checked: int
    taken_in: int
    """Orders whose life was not written down here (imports, histories made in bulk); nothing to compare."""
    differing: Sequence[int]
    """Ids of the orders that are not what their history says."""


def verify_order(session: Session, order_id: int) -> list[Difference] | None:
    """Where an order is not what its history says; None where its history was taken in. Raises NotFound."""
    session.refresh(get_order(session, order_id))
    return compare(session, [order_id])[order_id]


def compare(session: Session, order_ids: Sequence[int]) -> dict[int, list[Difference] | None]:
    """The same for several orders at once, with as few queries as for one."""
    found = session.scalars(
        select(Order).where(Order.id.in_(order_ids)).execution_options(populate_existing=True)
    ).all()
    told = _events_of(session, order_ids)
    complete = [order for order in found if told[order.id].is_complete]
    thawed = _thawed(session, complete, told)
    results: dict[int, list[Difference] | None] = dict.fromkeys(order_ids)
    for order in complete:
        results[order.id] = [*differences(order, told[order.id]), *thawed[order.id]]
    return results


def verify_orders(database: Database, *, changed_since: datetime | None = None) -> Verification:
    """Compare every order, or those with a step since a moment, with its history; differences become alerts.

    Orders are read without a lock; one that differs is looked at again under its lock before anybody is alarmed.
    """
    checked = taken_in = after = 0
    differing: list[int] = []
    while True:
        with database.read() as session:
            ids = _some_orders(session, after, changed_since)
            results = compare(session, ids)
        if not ids:
            return Verification(checked, taken_in, differing)
        after = ids[-1]
        taken_in += sum(1 for result in results.values() if result is None)
        checked += sum(1 for result in results.values() if result is not None)
        suspects = [order_id for order_id, result in results.items() if result] + _alarmed(database, ids)
        differing += [order_id for order_id in sorted(set(suspects)) if _alarm(database, order_id)]


def open_differences(session: Session, *, limit: int = 100) -> Sequence[OrderDifference]:
    """What is wrong and not mended yet, oldest first."""
    return session.scalars(
        select(OrderDifference).where(OrderDifference.resolved_at.is_(None)).order_by(OrderDifference.id).limit(limit)
    ).all()


def page_of_differences(session: Session, cursor: Cursor) -> tuple[Sequence[OrderDifference], str | None]:
    """What is wrong and not mended yet, newest first."""
    statement = select(OrderDifference).where(OrderDifference.resolved_at.is_(None))
    return fetch_page(session, statement, cursor, by=OrderDifference.id)


def _some_orders(session: Session, after: int, changed_since: datetime | None) -> Sequence[int]:
    statement = select(Order.id).where(Order.id > after).order_by(Order.id).limit(_BATCH)
    if changed_since is not None:
        changed = select(OrderStatusChange.order_id).where(OrderStatusChange.occurred_at >= changed_since)
        statement = statement.where(Order.id.in_(changed))
    return session.scalars(statement).all()


def _alarmed(database: Database, order_ids: Sequence[int]) -> list[int]:
    """Orders that an earlier check found wrong: they may be mended by now."""
    wrong = select(OrderDifference.order_id).where(
        OrderDifference.resolved_at.is_(None), OrderDifference.order_id.in_(order_ids)
    )
    with database.read() as session:
        return list(session.scalars(wrong.distinct()))


def _alarm(database: Database, order_id: int) -> bool:
    """Look again under the order's lock and bring its alerts up to date; whether it really differs."""

    def work(session: Session) -> bool:
        lock_order(session, order_id)
        found = verify_order(session, order_id) or []
        _write_alerts(session, order_id, found, database.clock.now())
        for difference in found:
            log.error(
                "order differs from its history",
                order_id=order_id,
                field=difference.field,
                expected=difference.expected,
                found=difference.found,
            )
        return bool(found)

    return database.run(work, actor="verify-orders")


def _write_alerts(session: Session, order_id: int, found: Sequence[Difference], now: datetime) -> None:
    now_wrong = {difference.field[:80]: difference for difference in found}
    still_open = select(OrderDifference).where(
        OrderDifference.order_id == order_id, OrderDifference.resolved_at.is_(None)
    )
    for alert in session.scalars(still_open):
        if alert.field not in now_wrong:
            alert.resolved_at = now
    session.flush()
    for field, difference in now_wrong.items():
        row = {
            "order_id": order_id,
            "field": field,
            "expected": difference.expected[:_TEXT],
            "found": difference.found[:_TEXT],
            "noticed_at": now,
        }
        session.execute(insert_into(session, OrderDifference).values(row).on_conflict_do_nothing())


def _events_of(session: Session, order_ids: Sequence[int]) -> dict[int, Events]:
    lines = _grouped(session, OrderLine, order_ids)
    history = _grouped(session, OrderStatusChange, order_ids)
    moves = _grouped(session, OrderUnitMove, order_ids)
    changes = _grouped(session, OrderChange, order_ids)
    decisions = _grouped(session, OrderRefundDecision, order_ids)
    return {
        order_id: Events(lines[order_id], history[order_id], moves[order_id], changes[order_id], decisions[order_id])
        for order_id in order_ids
    }


def _grouped(session: Session, model: type[Row], order_ids: Sequence[int]) -> dict[int, list[Row]]:
    """The rows of these orders by order, oldest first."""
    rows = session.scalars(
        select(model).where(model.order_id.in_(order_ids)).order_by(model.id).execution_options(populate_existing=True)
    )
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row.order_id].append(row)
    return grouped


def _thawed(session: Session, orders: Sequence[Order], told: Mapping[int, Events]) -> dict[int, list[Difference]]:
    """Frozen columns that somebody changed, as the journal tells."""
    found: dict[int, list[Difference]] = defaultdict(list)
    recharged: dict[int, int] = defaultdict(int)
    for order_id, column, change in _rewritten(session, Order.__tablename__, [order.id for order in orders]):
        if column == "shipping_minor":
            recharged[order_id] += change[1] - change[0]
        if column in _FROZEN_OF_ORDER:
            found[order_id].append(Difference(column, str(change[0]), str(change[1])))
    for order in orders:
        agreed = sum(change.shipping_minor for change in told[order.id].changes if change.applied_at is not None)
        if recharged[order.id] != agreed:
            found[order.id].append(Difference("shipping_minor", f"moved by {agreed}", f"by {recharged[order.id]}"))
    order_of = {line.id: order.id for order in orders for line in told[order.id].lines}
    for line_id, column, change in _rewritten(session, OrderLine.__tablename__, list(order_of)):
        if column not in _MOVING_OF_LINE:
            found[order_of[line_id]].append(Difference(f"line {line_id} {column}", str(change[0]), str(change[1])))
    return found


def _rewritten(session: Session, table: str, row_ids: Sequence[int]) -> Iterator[tuple[int, str, Sequence[Any]]]:
    """Row, column and [old, new] of every update of these rows, oldest first."""
    updates = session.execute(
        select(JournalEntry.row_id, JournalEntry.changes)
        .where(JournalEntry.table_name == table, JournalEntry.row_id.in_(row_ids), JournalEntry.operation == "U")
        .order_by(JournalEntry.seq)
    )
    for row_id, changes in updates:
        for column, change in sorted((changes or {}).items()):
            yield row_id, column, change
