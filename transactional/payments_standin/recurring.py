"""Plans and subscriptions as the gateway keeps them, and how each looks on the wire."""

from dataclasses import dataclass, field
from typing import Any

from transactional.payments_standin.entities import Json, Notes, render_notes

_FINAL = {"cancelled", "completed", "expired"}


@dataclass(slots=True)
class PlanEntity:
    """An amount per interval. Amounts in the smallest unit."""

    id: str
    item_id: str
    period: str
    interval: int
    name: str
    amount: int
    currency: str
    description: str | None
    notes: Notes
    created_at: int

    def render(self) -> Json:
        """The entity on the wire, its item nested whole."""
        return {
            "id": self.id,
            "entity": "plan",
            "interval": self.interval,
            "period": self.period,
            "item": self._item(),
            "notes": render_notes(self.notes),
            "created_at": self.created_at,
        }

    def _item(self) -> Json:
        return {
            "id": self.item_id,
            "active": True,
            "name": self.name,
            "description": self.description,
            "amount": self.amount,
            "unit_amount": self.amount,
            "currency": self.currency,
            "type": "plan",
            "unit": None,
            "tax_inclusive": False,
            "hsn_code": None,
            "sac_code": None,
            "tax_rate": None,
            "tax_id": None,
            "tax_group_id": None,
            "created_at": self.created_at,
            "updated_at": self.created_at,
        }


@dataclass(slots=True)
class SubscriptionEntity:
    """A plan, charged again and again. Times in unix seconds; counts in cycles."""

    id: str
    plan_id: str
    total_count: int
    quantity: int
    notes: Notes
    created_at: int
    customer_notify: bool
    start_at: int | None
    expire_by: int | None
    offer_id: str | None = None
    status: str = "created"
    customer_id: str | None = None
    current_start: int | None = None
    current_end: int | None = None
    charge_at: int | None = None
    ended_at: int | None = None
    auth_attempts: int = 0
    cycles: int = 0
    """Cycles that have begun, charged or not."""
    paid_count: int = 0
    cancel_at_cycle_end: bool = False
    scheduled: dict[str, Any] | None = None
    """Changes that wait for the end of the cycle."""
    last_payment_id: str | None = None
    retries: int = 0
    """How often the present charge was tried again."""
    outcomes: list[bool] = field(default_factory=list)
    """Whether the next charges succeed, retries included; they do when nothing is said."""

    @property
    def remaining_count(self) -> int:
        """Cycles to come."""
        return self.total_count - self.cycles

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in _FINAL

    def render(self) -> Json:
        """The entity on the wire."""
        return {
            "id": self.id,
            "entity": "subscription",
            "plan_id": self.plan_id,
            "customer_id": self.customer_id,
            "status": self.status,
            "current_start": self.current_start,
            "current_end": self.current_end,
            "ended_at": self.ended_at,
            "quantity": self.quantity,
            "notes": render_notes(self.notes),
            "charge_at": self.charge_at,
            "start_at": self.start_at,
            "end_at": None,
            "auth_attempts": self.auth_attempts,
            "total_count": self.total_count,
            "paid_count": self.paid_count,
            "remaining_count": self.remaining_count,
            "customer_notify": self.customer_notify,
            "created_at": self.created_at,
            "expire_by": self.expire_by,
            "short_url": f"https://rzp.io/i/{self.id[-7:]}",
            "has_scheduled_changes": self.scheduled is not None,
            "change_scheduled_at": self.current_end if self.scheduled is not None else None,
            "source": "api",
            "offer_id": self.offer_id,
        }
