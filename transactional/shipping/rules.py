"""The stored rules for choosing couriers, and how well their predictions turned out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.shipping.models import CourierChoice, CourierRule, RuleAction, Shipment


@dataclass(frozen=True, slots=True)
class RuleValues:
    """A rule as staff writes it; what is None matches everything."""

    name: str
    priority: int
    action: RuleAction
    courier_id: int | None = None
    zone: str | None = None
    cod: bool | None = None
    min_grams: int = 0
    max_grams: int | None = None
    adjustment_minor: int = 0
    is_active: bool = True

    def __post_init__(self) -> None:
        if self.max_grams is not None and self.max_grams < self.min_grams:
            raise InvalidInput("max_grams lies below min_grams: the rule would match nothing", field="max_grams")
        if (self.action is RuleAction.ADJUST) != (self.adjustment_minor != 0):
            raise InvalidInput("an amount belongs to the action adjust, and only to it", field="adjustment_minor")


@dataclass(frozen=True, slots=True)
class CourierAccuracy:
    """Predicted against real cost of one courier's parcels in a month, in minor units."""

    courier_id: int
    courier_name: str
    parcels: int
    predicted_minor: int
    charged_minor: int


def list_rules(session: Session) -> Sequence[CourierRule]:
    """Every rule, in the order in which they are looked at."""
    return session.scalars(select(CourierRule).order_by(CourierRule.priority, CourierRule.id)).all()


def create_rule(session: Session, *, values: RuleValues, now: datetime) -> CourierRule:
    """A new rule. Raises Conflict for a name that is taken."""
    rule = CourierRule(created_at=now)
    _assign(rule, values)
    _save(session, rule)
    return rule


def change_rule(session: Session, *, rule_id: int, values: RuleValues) -> CourierRule:
    """All of a rule anew. Raises NotFound, Conflict."""
    rule = _get(session, rule_id)
    _assign(rule, values)
    _save(session, rule)
    return rule


def delete_rule(session: Session, *, rule_id: int) -> None:
    """Forget a rule; tables of earlier choices keep its name. Raises NotFound."""
    session.delete(_get(session, rule_id))


def accuracy(session: Session, *, month: date, zone: ZoneInfo) -> list[CourierAccuracy]:
    """Predicted and real cost by courier, of parcels made in a month (in the shop's time zone) whose cost is known."""
    first = datetime(month.year, month.month, 1, tzinfo=zone)
    after = (first + timedelta(days=32)).replace(day=1)
    rows = session.execute(
        select(
            CourierChoice.courier_id,
            func.max(CourierChoice.courier_name),
            func.count(),
            func.sum(CourierChoice.predicted_cost_minor),
            func.sum(Shipment.cost_minor),
        )
        .join(Shipment, Shipment.id == CourierChoice.shipment_id)
        .where(CourierChoice.chosen, CourierChoice.attempt == Shipment.attempt, Shipment.cost_minor.is_not(None))
        .where(Shipment.created_at >= first, Shipment.created_at < after)
        .group_by(CourierChoice.courier_id)
        .order_by(CourierChoice.courier_id)
    )
    return [CourierAccuracy(row[0], row[1], row[2], int(row[3] or 0), int(row[4] or 0)) for row in rows]


def _assign(rule: CourierRule, values: RuleValues) -> None:
    for name in RuleValues.__slots__:
        setattr(rule, name, getattr(values, name))


def _save(session: Session, rule: CourierRule) -> None:
    name = rule.name
    try:
        with session.begin_nested():
            session.add(rule)
    except IntegrityError as error:
        raise Conflict(f"there is a rule named {name!r} already") from error


def _get(session: Session, rule_id: int) -> CourierRule:
    rule = session.get(CourierRule, rule_id)
    if rule is None:
        raise NotFound("there is no such rule")
    return rule
