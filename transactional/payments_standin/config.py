"""What can be set on the stand-in; where the gateway's own behaviour is not known, both ways are offered."""

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Literal


@dataclass(slots=True)
class StandInConfig:
    """Switches and durations, with the gateway's published values as defaults. They may be changed while it runs."""

    key_id: str = "rzp_test_local"
    key_secret: str = "local-stand-in-secret"  # noqa: S105  a well-known value for the local stand-in
    seed: int = 1
    unique_receipts: bool = False
    """Whether a second order with the same receipt is refused (unconfirmed for the real gateway)."""
    authentication_status: Literal[400, 401] = 401
    bare_errors: bool = False
    """Errors carry their code and description only, as some real ones do."""
    rate_limit_body: Literal["json", "html", "empty"] = "json"
    """What a 429 looks like is not published."""
    refund_outcome: Literal["processed", "pending"] = "processed"
    """`pending` leaves refunds to the bank: they are settled by the control API."""
    refunds_late_duplicates: bool = True
    """Whether a payment authorised late on a paid order is given back at once."""
    replay_keeps_event_id: bool = True
    """Whether an event that is replayed by hand keeps its id (unconfirmed)."""
    speed_fields_always: bool = False
    """Refunds show their speed even where none was asked for: the documentation says no, its samples say yes."""
    instant_refunds: bool = True
    """Whether the bank can do a refund of speed `optimum` at once; else it becomes a normal one."""
    oddities: bool = True
    """Imitate the surprises of real payloads (key order, spacing, missing and doubled keys)."""
    bank_timeout: timedelta = timedelta(minutes=10)
    """A payment without the bank's answer fails after this."""
    authorisation_window: timedelta = timedelta(days=3)
    """An authorised payment not captured within this is given back; an order's own capture options go before."""
    late_window: timedelta = timedelta(days=3)
    """How long after its creation a failed payment may still be authorised (3 or 5 days)."""
    refund_window: timedelta = timedelta(days=180)
    receiver_patience: timedelta = timedelta(seconds=5)
    """A receiver of webhooks that takes longer gets the event again."""
    first_retry: timedelta = timedelta(seconds=10)
    """The pause before the first repetition of a webhook; it doubles up to `longest_retry` (steps unconfirmed)."""
    longest_retry: timedelta = timedelta(hours=1)
    webhook_give_up: timedelta = timedelta(hours=24)
    """A webhook that fails for so long is switched off."""

    def __repr__(self) -> str:
        return f"StandInConfig(key_id={self.key_id!r}, seed={self.seed})"

    def change(self, changes: dict[str, Any]) -> None:
        """Turn switches while running. Raises ValueError for a name that is no switch."""
        switches = {field.name for field in fields(self)} - {"key_id", "key_secret", "seed"}
        unknown = sorted(set(changes) - switches)
        if unknown:
            raise ValueError(f"no such switch: {', '.join(unknown)}")
        for name, value in changes.items():
            setattr(self, name, value)
