"""What a promotion would have given: its present version run over past orders. Nothing is written.

Each order is priced once more with the offers that it used and the promotion as one more: they compete as at checkout.
Limits and hold-out of the promotion count in the order in which the orders came; its period does not, because it lies
ahead. Who would have ordered more, or at all, because of the offer, no past order can tell.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from transactional.catalog import service as catalog
from transactional.core.errors import InvalidInput
from transactional.orders import service as orders
from transactional.orders.service import Order, OrderLine
from transactional.promotions import service as promotions
from transactional.promotions.service import Basket, Candidate, Line, Person, Promotion, Reason, Rule, Shopper

MAX_ORDERS = 2_000
_LONGEST = timedelta(days=366)
_EXAMPLES = 10
_OF_CODE = "PREVIEW"


@dataclass(frozen=True, slots=True)
class PreviewedOrder:
    """An order that the promotion would have made cheaper."""

    order_number: str
    total_minor: int
    saving_minor: int


@dataclass(slots=True)
class Preview:
    """What a promotion would have cost on past orders, in minor units of `currency`."""

    currency: str
    orders_seen: int = 0
    orders_lowered: int = 0
    cost_minor: int = 0
    """How much less all of them together would have paid."""
    turnover_minor: int = 0
    """What they paid."""
    stopped_early: bool = False
    """There are more orders in the period than are looked at; the latest were."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Why it gave nothing, and how often."""
    dearest: list[PreviewedOrder] = field(default_factory=list)
    """Those that it would have cost most on."""


def preview(session: Session, *, promotion_id: int, since: datetime, until: datetime, currency: str) -> Preview:
    """Run a promotion over the orders placed from `since` until just before `until` in a currency.

    Raises NotFound, and InvalidInput for an empty period or one of more than a year.
    """
    if not since < until <= since + _LONGEST:
        raise InvalidInput("a preview looks at a period of up to a year", field="until")
    promotion = promotions.get_promotion(session, promotion_id)
    rule = promotions.rule_of(session, promotion.id, promotion.version)
    found = orders.placed_between(session, since=since, until=until, currency=currency, limit=MAX_ORDERS + 1)
    lines = orders.lines_by_order(session, [order.id for order in found])
    variants = {line.variant_id for some in lines.values() for line in some}
    floors = promotions.floors_of(session, variant_ids=variants, currency=currency)
    run = _Run(session, promotion, rule, floors, Preview(currency, stopped_early=len(found) > MAX_ORDERS))
    for order in found[-MAX_ORDERS:]:
        run.look_at(order, lines.get(order.id, []))
    run.result.dearest.sort(key=lambda one: (-one.saving_minor, one.order_number))
    del run.result.dearest[_EXAMPLES:]
    return run.result


class _Run:
    """Walks the orders in the order in which they came and counts uses on the way."""

    def __init__(
        self, session: Session, promotion: Promotion, rule: Rule, floors: Mapping[int, int], result: Preview
    ) -> None:
        self._session = session
        self._promotion = promotion
        self._rule = rule
        self._floors = floors
        self.result = result
        self._above = catalog.category_ancestors(session)
        self._category: dict[int, int] = {}
        self._used = 0
        self._used_by: dict[str, int] = {}
        self._rules: dict[tuple[int, int], Rule] = {}

    def look_at(self, order: Order, lines: Sequence[OrderLine]) -> None:
        """Price one order anew and add what it tells."""
        result = self.result
        result.orders_seen += 1
        result.turnover_minor += order.total_minor
        person = Person(order.customer_id, order.email, order.phone)
        candidates = [*self._used_by_order(order), self._candidate(person)]
        outcome = promotions.solve(
            self._basket(order, lines), self._shopper(order, person), order.placed_at, candidates
        )
        mine = [one for one in outcome.applied if one.offer_id == self._promotion.id]
        saving = max(0, outcome.saving_minor - _given(order))
        if not mine or not saving:
            self._note_reason(outcome.refused)
            return
        result.orders_lowered += 1
        result.cost_minor += saving
        result.dearest.append(PreviewedOrder(order.order_number, order.total_minor, saving))
        self._used += 1
        for key in person.keys:
            self._used_by[key] = self._used_by.get(key, 0) + 1

    def _candidate(self, person: Person) -> Candidate:
        code = None if self._promotion.is_automatic else _OF_CODE
        return Candidate(self._promotion.id, self._promotion.version, code, self._rule, self._blocked(person))

    def _blocked(self, person: Person) -> str | None:
        own = max((self._used_by.get(key, 0) for key in person.keys), default=0)
        if self._promotion.usage_limit is not None and self._used >= self._promotion.usage_limit:
            return Reason.LIMIT_REACHED
        if self._promotion.per_customer_limit is not None and own >= self._promotion.per_customer_limit:
            return Reason.PERSON_LIMIT_REACHED
        return Reason.HELD_OUT if promotions.leaves_out(self._promotion, person) else None

    def _used_by_order(self, order: Order) -> list[Candidate]:
        applied = order.price_trace.get("applied") or []
        return [
            Candidate(one["offer_id"], one["version"], one["code"], self._rule_of(one["offer_id"], one["version"]))
            for one in applied
            if one["offer_id"] != self._promotion.id
        ]

    def _rule_of(self, promotion_id: int, version: int) -> Rule:
        key = (promotion_id, version)
        if key not in self._rules:
            self._rules[key] = promotions.rule_of(self._session, *key)
        return self._rules[key]

    def _basket(self, order: Order, lines: Iterable[OrderLine]) -> Basket:
        """As it was sold; a line that was free of charge in an exchange is priced like any other."""
        known = list(lines)
        self._learn_categories({line.product_id for line in known})
        tariff = (order.price_trace.get("shipping") or {}).get("amount_minor", order.shipping_minor)
        return Basket(
            currency=order.currency,
            lines=tuple(
                Line(
                    line_id=line.id,
                    variant_id=line.variant_id,
                    product_id=line.product_id,
                    category_ids=self._above.get(self._category.get(line.product_id, 0), frozenset()),
                    quantity=line.quantity,
                    unit_price_minor=line.unit_price_minor,
                    floor_minor=self._floors.get(line.variant_id, 0),
                )
                for line in known
            ),
            shipping_minor=tariff,
            country=order.ship_country,
            channel=order.channel,
        )

    def _learn_categories(self, product_ids: set[int]) -> None:
        new = product_ids - self._category.keys()
        if new:
            self._category |= catalog.categories_of_products(self._session, new)

    def _shopper(self, order: Order, person: Person) -> Shopper:
        groups: frozenset[str] = frozenset()
        if order.customer_id is not None and promotions.asks_groups(self._rule):
            groups = promotions.groups_of(self._session, customer_id=order.customer_id, now=order.placed_at)
        first = promotions.asks_first_order(self._rule) and not orders.has_ordered(
            self._session,
            customer_id=person.customer_id,
            identity_key=order.identity_key,
            phone=order.phone,
            before=order.id,
        )
        return Shopper(person.main_key, first, groups)

    def _note_reason(self, refused: Iterable[Any]) -> None:
        for one in refused:
            if one.offer_id == self._promotion.id:
                self.result.reasons[str(one.reason)] = self.result.reasons.get(str(one.reason), 0) + 1


def _given(order: Order) -> int:
    """What offers had taken off already."""
    applied = order.price_trace.get("applied")
    if applied is None:
        return order.discount_minor
    return sum(one["amount_minor"] for one in applied)
