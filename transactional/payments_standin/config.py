"""What can be set on the stand-in; where the gateway's own behaviour is not known, both ways are offered."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class StandInConfig:
    """Switches and durations, with the gateway's published values as defaults."""

    key_id: str = "rzp_test_local"
    key_secret: str = "local-stand-in-secret"  # noqa: S105  a well-known value for the local stand-in
    seed: int = 1
    unique_receipts: bool = False
    """Whether a second order with the same receipt is refused (unconfirmed for the real gateway)."""
    authentication_status: Literal[400, 401] = 401
    refund_outcome: Literal["processed", "pending"] = "processed"
    """`pending` leaves refunds to the bank: they are settled by the control API."""
    refunds_late_duplicates: bool = True
    """Whether a payment authorised late on a paid order is given back at once."""
    oddities: bool = True
    """Imitate the surprises of real payloads (key order, spacing, missing and doubled keys)."""
    bank_timeout: timedelta = timedelta(minutes=10)
    """A payment without the bank's answer fails after this."""
    authorisation_window: timedelta = timedelta(days=3)
    """An authorised payment not captured within this is given back."""
    late_window: timedelta = timedelta(days=3)
    """How long after its creation a failed payment may still be authorised (3 or 5 days)."""
    refund_window: timedelta = timedelta(days=180)

    def __repr__(self) -> str:
        return f"StandInConfig(key_id={self.key_id!r}, seed={self.seed})"
