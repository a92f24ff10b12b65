"""Letting the shop's parts hear of one another: couriers' news at once, papers in the evening, mails to nobody.

Every message is done by its own handler. Only when it is done is arranged here: to claim papers one by one, whenever a
parcel moves, would cost more than all the rest of a history.
"""

from datetime import datetime, time
from functools import cache

from sqlalchemy import ColumnElement, Select, Update, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session

from transactional import tables
from transactional.affiliates.service import OrderAttribution
from transactional.core import outbox
from transactional.core.mail import TOPIC as MAIL
from transactional.loyalty.service import TIER_CHANGED
from transactional.orders.service import STATUS_CHANGED, Order, OrderRefundDecision, OrderStatus
from transactional.shipping import service as shipping
from transactional.shipping.parcels import ADVANCE
from transactional.simulation.stage import Stage

EVENING = time(18, 15)
"""A quarter to midnight in India, UTC: papers bear the day on which a parcel left."""

_OF_PARCELS = (ADVANCE, shipping.PICKED_UP, shipping.DELIVERED, shipping.RETURNED)
_ONLY_A_MAIL = (
    OrderStatus.AWAITING_APPROVAL,
    OrderStatus.AWAITING_PAYMENT,
    OrderStatus.PACKED,
    OrderStatus.MODIFYING,
    OrderStatus.AWAITING_EXTRA_PAYMENT,
    OrderStatus.EXPIRED,
)
"""Steps of an order that nobody but the customer hears of."""


def of_parcels(stage: Stage) -> None:
    """Let carriers hear of new parcels and orders of what befell theirs; everything else waits for the evening."""
    outbox.drain(stage.database, topics=_OF_PARCELS)


def work_off(stage: Stage) -> None:
    """Do every message, and what the messages ask for, until nothing is left that is due but mails."""
    while due := stage.look(lambda session: _left(session, stage.now)):
        _spare_mails(stage)
        # Not more than these: mails that they queue are spared in their turn.
        outbox.drain(stage.database, limit=due)


def last(stage: Stage) -> None:
    """Leave not even a mail."""
    work_off(stage)
    _spare_mails(stage)


def _spare_mails(stage: Stage) -> None:
    """Made-up people get no mail: messages that lead to nothing else count as done."""
    stage.work("worker", lambda session: session.connection().execute(_statements()[0], {"now": stage.now}).rowcount)


def _left(session: Session, now: datetime) -> int:
    """How many messages that lead to more than a mail are due."""
    return int(session.connection().execute(_statements()[1], {"now": now}).scalar_one())


@cache
def _statements() -> tuple[Update, Select[int]]:
    """What ends mails, and what counts the rest; built once, they are asked every night."""
    table = tables.metadata.tables["outbox"]
    is_due = (table.c.state == "pending") & (table.c.due_at <= bindparam("now"))
    step, origin = table.c.payload["to"].as_string(), table.c.payload["from"].as_string()
    order_id = table.c.payload["order_id"].as_integer()
    # The invoice was written when the parcel left: where nothing was given back, a delivery adds nothing to it.
    given_back = exists().where(OrderRefundDecision.order_id == order_id)
    plain_delivery = (step == OrderStatus.DELIVERED) & (origin == OrderStatus.SHIPPED) & ~given_back
    only_a_mail = or_(step.in_(_ONLY_A_MAIL), (plain_delivery | (step == OrderStatus.PAID)) & ~_earns(order_id))
    spared = or_(table.c.topic.in_((MAIL, TIER_CHANGED)), (table.c.topic == STATUS_CHANGED) & only_a_mail)
    spare = update(table).where(is_due, spared).values(state="done", done_at=bindparam("now"))
    return spare, select(func.count()).select_from(table).where(is_due, ~spared)


def _earns(order_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether somebody may earn by an order: who sent the buyer was told, or a partner has brought the buyer before."""
    told, known = tables.metadata.tables["order_referrals"], OrderAttribution
    brought = exists().where(Order.id == order_id, known.customer_id == Order.customer_id)
    return exists().where(told.c.order_id == order_id) | brought
