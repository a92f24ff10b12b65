"""What can be set on the stand-in; where the carrier's own behaviour is not known, every way is offered."""

from dataclasses import dataclass, fields
from typing import Literal

DuplicateOrders = Literal["existing", "second", "refuse"]
AwbMode = Literal["immediate", "asynchronous", "fails"]
Couriers = Literal["normal", "none", "all_blocked", "no_cod", "hyperlocal"]
Cancellation = Literal["immediate", "later"]


@dataclass(slots=True)
class Switches:
    """The stand-in's moods; the control API changes them while it runs."""

    duplicate_orders: DuplicateOrders = "existing"
    """The same `order_id` again: the first order, a second one, or 422 (unconfirmed for the real carrier)."""
    awb: AwbMode = "immediate"
    """`asynchronous` answers "We are processing your request" and assigns on the next read of the order."""
    list_lag_seconds: int = 0
    """How long a new order stays out of the carrier's lists."""
    token_hours: int = 240
    """Ten days are published, 24 hours are told elsewhere."""
    loose_types: bool = True
    """Numbers as text, text as numbers, `NA` and zero dates for nothing."""
    couriers: Couriers = "normal"
    cancellation: Cancellation = "immediate"
    """`later` completes when the control API settles it."""
    cancel_status: Literal[200, 204] = 204
    accepts_paise: bool = True
    """Whether fractions of a rupee are taken (unconfirmed); otherwise they are a 422."""
    overweight_grams: int = 0
    """What the courier's scale shows above the declared weight."""
    webhook_order_id_suffix: str = "-1"
    """The webhook's `order_id` is ours with something behind it; its meaning is unknown."""

    def change(self, values: dict[str, object]) -> None:
        """Set some switches. Raises ValueError for one that does not exist."""
        known = {field.name for field in fields(self)}
        unknown = sorted(values.keys() - known)
        if unknown:
            raise ValueError(f"no such switch: {', '.join(unknown)}")
        for name, value in values.items():
            setattr(self, name, value)


@dataclass(frozen=True, slots=True)
class Account:
    """The one account of the stand-in: its API user, its address, its seed."""

    email: str = "api@shop.example"
    password: str = "local-stand-in-password"  # noqa: S105  a well-known value for the local stand-in
    pickup_location: str = "Primary"
    pickup_postcode: str = "560001"
    seed: int = 1

    def __repr__(self) -> str:
        return f"Account(email={self.email!r}, seed={self.seed})"
