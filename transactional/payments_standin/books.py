"""Everything that the gateway remembers, in memory, with the look-ups that its calls share."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Protocol, TypeVar

from transactional.core.clock import Clock
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.entities import Json, OrderEntity, Page, PaymentEntity, RefundEntity
from transactional.payments_standin.events import EventPublisher
from transactional.payments_standin.ids import IdGenerator, is_well_formed
from transactional.payments_standin.recurring import PlanEntity, SubscriptionEntity
from transactional.payments_standin.refusals import malformed_id, unknown_id
from transactional.payments_standin.validation import time_span_of, window_of

T = TypeVar("T")


class Entity(Protocol):
    """What can be listed."""

    created_at: int

    def render(self) -> Json:
        """The entity on the wire."""
        ...


class Books:
    """Orders, payments, refunds, plans and subscriptions by id."""

    def __init__(self, config: StandInConfig, clock: Clock, ids: IdGenerator, events: EventPublisher) -> None:
        self.config = config
        self.clock = clock
        self.ids = ids
        self.events = events
        self.orders: dict[str, OrderEntity] = {}
        self.payments: dict[str, PaymentEntity] = {}
        self.refunds: dict[str, RefundEntity] = {}
        self.plans: dict[str, PlanEntity] = {}
        self.subscriptions: dict[str, SubscriptionEntity] = {}
        self.refund_keys: dict[str, tuple[str, str]] = {}
        """By idempotency key: what was asked, and the refund that answered it."""
        self.payments_of_order: defaultdict[str, list[PaymentEntity]] = defaultdict(list)
        self.refunds_of_payment: defaultdict[str, list[RefundEntity]] = defaultdict(list)
        self.orders_of_receipt: defaultdict[str, list[OrderEntity]] = defaultdict(list)

    def now(self) -> int:
        """The present moment in unix seconds."""
        return int(self.clock.now().timestamp())

    def is_over(self, since: int, span: timedelta) -> bool:
        """Whether a span has passed since a moment."""
        return self.now() - since >= span.total_seconds()

    def order(self, order_id: str) -> OrderEntity:
        """An order by id."""
        return _look_up(self.orders, order_id, "order")

    def payment(self, payment_id: str) -> PaymentEntity:
        """A payment by id."""
        return _look_up(self.payments, payment_id, "pay")

    def refund(self, refund_id: str) -> RefundEntity:
        """A refund by id."""
        return _look_up(self.refunds, refund_id, "rfnd")

    def plan(self, plan_id: str) -> PlanEntity:
        """A plan by id."""
        return _look_up(self.plans, plan_id, "plan")

    def subscription(self, subscription_id: str) -> SubscriptionEntity:
        """A subscription by id."""
        return _look_up(self.subscriptions, subscription_id, "sub")


def _look_up(entities: Mapping[str, T], entity_id: str, prefix: str) -> T:
    if not is_well_formed(entity_id, prefix):
        raise malformed_id(entity_id)
    found = entities.get(entity_id)
    if found is None:
        raise unknown_id()
    return found


def page_of(entities: Iterable[Entity], query: Mapping[str, str]) -> Json:
    """The newest first, within `from` and `to`, cut by `skip` and `count`."""
    count, skip = window_of(query)
    earliest, latest = time_span_of(query)
    chosen = [entity for entity in entities if earliest <= entity.created_at <= latest]
    chosen.reverse()
    return Page([entity.render() for entity in chosen[skip : skip + count]]).render()
