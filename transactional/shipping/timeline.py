"""What a set of scans amounts to: a pure fold, so that order and repetition of reports make no difference.

Every state has a rank and the parcel stands at the highest that any scan shows, so nothing ever takes it back. Out for
delivery and undelivered share a rank, where the later one counts: a failed attempt may be followed by another. The way
back to the sender lies above the way out; a delivery lies above the way back under way, because a courier may still
hand over, but below the arrival at the sender's: goods that are here are not there. A cancellation yields to the first
scan that shows the parcel moving.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from transactional.shipping.models import ShipmentStatus

RANK: dict[ShipmentStatus, int] = {
    ShipmentStatus.CREATED: 0,
    ShipmentStatus.AWB_ASSIGNED: 1,
    ShipmentStatus.PICKUP_SCHEDULED: 2,
    ShipmentStatus.CANCELLED: 3,
    ShipmentStatus.PICKED_UP: 4,
    ShipmentStatus.IN_TRANSIT: 5,
    ShipmentStatus.OUT_FOR_DELIVERY: 6,
    ShipmentStatus.UNDELIVERED: 6,
    ShipmentStatus.RTO_INITIATED: 7,
    ShipmentStatus.RTO_IN_TRANSIT: 8,
    ShipmentStatus.LOST: 9,
    ShipmentStatus.DAMAGED: 10,
    ShipmentStatus.DELIVERED: 11,
    ShipmentStatus.RTO_DELIVERED: 12,
}

FINAL = frozenset(
    {
        ShipmentStatus.DELIVERED,
        ShipmentStatus.RTO_DELIVERED,
        ShipmentStatus.CANCELLED,
        ShipmentStatus.LOST,
        ShipmentStatus.DAMAGED,
    }
)
"""Nothing more is expected to happen."""

NEEDS_CONFIRMATION = frozenset(
    {
        ShipmentStatus.DELIVERED,
        ShipmentStatus.LOST,
        ShipmentStatus.DAMAGED,
        ShipmentStatus.RTO_INITIATED,
        ShipmentStatus.RTO_IN_TRANSIT,
        ShipmentStatus.RTO_DELIVERED,
    }
)
"""Money follows these: an unsigned webhook alone never makes them true."""

_ATTEMPT = RANK[ShipmentStatus.OUT_FOR_DELIVERY]
_MOVING = RANK[ShipmentStatus.PICKED_UP]


@dataclass(frozen=True, slots=True)
class Scan:
    """One report on a parcel, already translated."""

    status: ShipmentStatus | None
    occurred_at: datetime
    problem: str | None = None
    confirmed: bool = True

    @property
    def counts(self) -> bool:
        """Whether it may decide where the parcel stands."""
        return self.status is not None and (self.confirmed or self.status not in NEEDS_CONFIRMATION)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a parcel stands after all scans."""

    status: ShipmentStatus = ShipmentStatus.CREATED
    problem: str | None = None
    first_seen: dict[ShipmentStatus, datetime] = field(default_factory=dict)
    """When each state was reached for the first time, by the scans' own clocks."""
    picked_up_at: datetime | None = None
    """The earliest scan that shows the parcel in the carrier's hands."""
    unconfirmed: frozenset[ShipmentStatus] = frozenset()
    """States that only a webhook claims, and that would change where the parcel stands."""


def fold(scans: Iterable[Scan]) -> Standing:
    """Where the scans leave the parcel; the same for every order and duplication of them."""
    told = sorted(scans, key=_by_time)
    counting = [scan for scan in told if scan.counts]
    status = max(counting, key=_progress).status if counting else None
    standing = status or ShipmentStatus.CREATED
    first_seen: dict[ShipmentStatus, datetime] = {}
    for scan in counting:
        assert scan.status is not None
        first_seen.setdefault(scan.status, scan.occurred_at)
    moving = [at for state, at in first_seen.items() if RANK[state] >= _MOVING]
    claims = {scan.status for scan in told if scan.status is not None and not scan.counts}
    return Standing(
        status=standing,
        problem=told[-1].problem if told else None,
        first_seen=first_seen,
        picked_up_at=min(moving, default=None),
        unconfirmed=frozenset(claim for claim in claims if RANK[claim] > RANK[standing]),
    )


def _progress(scan: Scan) -> tuple[int, datetime, int]:
    """How far a scan shows the parcel. Only within the rank of attempts does the time count."""
    assert scan.status is not None
    rank = RANK[scan.status]
    if rank != _ATTEMPT:
        return rank, datetime.max.replace(tzinfo=scan.occurred_at.tzinfo), 0
    return rank, scan.occurred_at, int(scan.status is ShipmentStatus.UNDELIVERED)


def _by_time(scan: Scan) -> tuple[datetime, str, int, bool]:
    """Scans of one minute are told apart by what they say, complaints last: the order of reports never matters."""
    return scan.occurred_at, scan.problem or "", -1 if scan.status is None else RANK[scan.status], scan.confirmed
