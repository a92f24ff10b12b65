"""The calls on plans: what a subscription charges, and how often."""

from collections.abc import Mapping
from typing import Any

from transactional.payments_standin.books import Books, page_of
from transactional.payments_standin.entities import Json
from transactional.payments_standin.recurring import PlanEntity
from transactional.payments_standin.refusals import invalid_field
from transactional.payments_standin.validation import (
    Body,
    amount_of,
    currency_of,
    integer,
    notes_of,
    only_fields,
)

_PERIODS = {"daily", "weekly", "monthly", "quarterly", "yearly"}
_SHORTEST_DAILY = 7
_LONGEST_NAME = 250


class PlanDesk:
    """POST and GET under `/v1/plans`."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def create(self, body: Body) -> Json:
        """A new plan."""
        only_fields(body, {"period", "interval", "item", "notes"})
        period = body.get("period")
        if period not in _PERIODS:
            raise invalid_field("The selected period is invalid.", "period")
        interval = integer(body, "interval")
        if interval < (_SHORTEST_DAILY if period == "daily" else 1):
            raise invalid_field(f"The interval is too short for a {period} plan.", "interval")
        item = _item_of(body)
        currency = currency_of(item)
        plan = PlanEntity(
            id=self._books.ids.next("plan"),
            item_id=self._books.ids.next("item"),
            period=str(period),
            interval=interval,
            name=item["name"],
            amount=amount_of(item, currency),
            currency=currency,
            description=item.get("description"),
            notes=notes_of(body),
            created_at=self._books.now(),
        )
        self._books.plans[plan.id] = plan
        return plan.render()

    def fetch(self, plan_id: str) -> Json:
        """One plan."""
        return self._books.plan(plan_id).render()

    def listing(self, query: Mapping[str, str]) -> Json:
        """Plans, newest first."""
        return page_of(list(self._books.plans.values()), query)


def _item_of(body: Body) -> dict[str, Any]:
    item = body.get("item")
    if not isinstance(item, dict):
        raise invalid_field("The item field is required.", "item")
    only_fields(item, {"name", "amount", "currency", "description"})
    name, description = item.get("name"), item.get("description")
    if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_NAME:
        raise invalid_field("The name field is required.", "name")
    if description is not None and not isinstance(description, str):
        raise invalid_field("The description must be a string.", "description")
    return item
