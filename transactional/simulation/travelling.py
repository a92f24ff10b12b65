"""What befalls a parcel: quick or slow, an empty house, back to the sender, lost. Told as a courier tells it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from transactional.fulfilment import claims
from transactional.orders.service import OrderLine, PaymentMode
from transactional.shipping import service as shipping
from transactional.shipping.models import ScanSource
from transactional.shipping.scans import Report
from transactional.shipping.service import Shipment, ShipmentStatus
from transactional.shipping.tracking import take_in
from transactional.simulation import carriage, news, opinions
from transactional.simulation.feasts import DIWALI
from transactional.simulation.places import is_remote
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import STAFF, Stage

PROMISED_DAYS = {"local": 2, "regional": 4, "metro": 5, "national": 7, "special": 11}
"""By tariff zone: within how many days the shop says that a parcel arrives."""

_DELAYED = 0.05
_NOBODY_HOME = 0.08
_LOST = 0.004
_BROKEN = 0.003
_COMES_BACK = {PaymentMode.ONLINE: 0.012, PaymentMode.ON_DELIVERY: 0.07, PaymentMode.EXTERNAL: 0.0}
_REMOTE_FACTOR = 2.0
_RUSH_FACTOR = 1.7
_S = ShipmentStatus
_WAITING = (_S.CREATED, _S.AWB_ASSIGNED, _S.PICKUP_SCHEDULED)

SCANS: dict[str, tuple[tuple[ShipmentStatus, float], ...]] = {
    "normal": ((_S.IN_TRANSIT, 0.3), (_S.OUT_FOR_DELIVERY, 0.93), (_S.DELIVERED, 1.0)),
    "ndr": (
        (_S.IN_TRANSIT, 0.25),
        (_S.OUT_FOR_DELIVERY, 0.6),
        (_S.UNDELIVERED, 0.66),
        (_S.OUT_FOR_DELIVERY, 0.94),
        (_S.DELIVERED, 1.0),
    ),
    "rto": (
        (_S.IN_TRANSIT, 0.15),
        (_S.OUT_FOR_DELIVERY, 0.35),
        (_S.UNDELIVERED, 0.37),
        (_S.RTO_INITIATED, 0.5),
        (_S.RTO_IN_TRANSIT, 0.6),
        (_S.RTO_DELIVERED, 1.0),
    ),
    "lost": ((_S.IN_TRANSIT, 0.2), (_S.LOST, 1.0)),
    "damaged": ((_S.IN_TRANSIT, 0.4), (_S.DAMAGED, 1.0)),
}
"""Each fate as scans, at which part of the way they are made."""


@dataclass(frozen=True, slots=True)
class Journey:
    """A parcel's fate (a key of `SCANS`), from the pickup to its last scan."""

    parcel_id: int
    order_id: int
    carrier: str
    lines: Sequence[OrderLine]
    """What lies in it."""
    fate: str
    begins: datetime
    ends: datetime

    def reports(self) -> Iterator[Report]:
        """What the courier scans after the pickup."""
        for status, part in SCANS[self.fate]:
            yield Report("", status.value, self.begins + (self.ends - self.begins) * part, status)


def hand_over(stage: Stage, shopper: Shopper, parcel: Shipment, lines: Sequence[OrderLine], mode: PaymentMode) -> None:
    """The courier fetches a parcel with these lines: within hours, or on the morning that the carrier names."""
    parcel_id = parcel.id
    if parcel.carrier == shipping.OWN:
        stage.later(stage.after(1, 7), lambda: _fetch(stage, shopper, parcel_id, lines, mode))
        return
    news.of_parcels(stage)
    parcel = stage.look(lambda session: shipping.get_shipment(session, parcel_id))
    if parcel.pickup_token is None:
        stage.counts["parcels that the carrier refused"] += 1
        return
    comes = carriage.van_comes_at(parcel) + stage.after(0, 4)
    stage.agenda.at(max(comes, stage.now), lambda _: _fetch(stage, shopper, parcel_id, lines, mode))


def _fetch(stage: Stage, shopper: Shopper, parcel_id: int, lines: Sequence[OrderLine], mode: PaymentMode) -> None:
    parcel = stage.look(lambda session: shipping.get_shipment(session, parcel_id))
    if parcel.status not in _WAITING:
        return
    journey = _draw(stage, parcel, lines, mode)
    if parcel.carrier == shipping.OWN:
        # Its order hears of it in the evening, together with the day's other papers.
        stage.work("courier", lambda session: _take_along(session, stage, parcel_id))
    else:
        carriage.fetch(stage, parcel)
        carriage.plan_scans(stage, parcel, journey.fate, begins=journey.begins, ends=journey.ends)
        news.of_parcels(stage)
    stage.agenda.at(journey.ends, lambda _: _finish(stage, shopper, journey))
    if journey.ends > stage.end:
        # The last scan lies beyond the history: what is known until then is told before.
        stage.agenda.at(stage.end - timedelta(minutes=1), lambda _: _tell(stage, journey))


def _take_along(session: Session, stage: Stage, parcel_id: int) -> None:
    parcel = shipping.get_shipment(session, parcel_id)
    parcel.expected_delivery_at = stage.now + timedelta(days=PROMISED_DAYS[_zone(stage, parcel)])
    picked_up = Report("", "picked up", stage.now, ShipmentStatus.PICKED_UP)
    take_in(session, parcel, [picked_up], source=ScanSource.STAFF, now=stage.now)


def _tell(stage: Stage, journey: Journey) -> None:
    """Take in everything that the courier has scanned so far."""
    if journey.carrier == shipping.OWN:
        stage.work("courier", lambda session: _take_in(session, stage, journey))
    else:
        carriage.ask(stage, journey.parcel_id)
    news.of_parcels(stage)


def _take_in(session: Session, stage: Stage, journey: Journey) -> None:
    parcel = shipping.get_shipment(session, journey.parcel_id)
    seen = [report for report in journey.reports() if report.occurred_at <= stage.now]
    take_in(session, parcel, seen, source=ScanSource.STAFF, now=stage.now)


def _finish(stage: Stage, shopper: Shopper, journey: Journey) -> None:
    _tell(stage, journey)
    stage.counts[f"parcels: {journey.fate}"] += 1
    if journey.fate in ("lost", "damaged"):
        stage.work(STAFF, lambda session: _write_off(session, stage, journey))
    elif journey.fate != "rto":
        stage.counts["deliveries"] += 1
        opinions.unwrap(stage, shopper, journey.order_id, journey.lines)


def _write_off(session: Session, stage: Stage, journey: Journey) -> None:
    """The courier lost or broke it: the customer gets the money back, whatever the courier says."""
    claim = shipping.claim_of(session, journey.parcel_id)
    if claim is not None:
        claims.decide(
            session, claim_id=claim.id, decision=shipping.ClaimDecision.REFUND, actor=STAFF, note="", now=stage.now
        )


def _zone(stage: Stage, parcel: Shipment) -> str:
    return stage.shelf.zones[parcel.postal_code or ""]


def _draw(stage: Stage, parcel: Shipment, lines: Sequence[OrderLine], mode: PaymentMode) -> Journey:
    """Decide what becomes of a parcel, and how long that takes."""
    fate = _fate(stage, parcel, mode)
    days = PROMISED_DAYS[_zone(stage, parcel)] * stage.rng.uniform(0.4, 0.85)
    if is_rush(stage.now.date()):
        days *= _RUSH_FACTOR
    if stage.chance(_DELAYED):
        days += stage.rng.uniform(2, 7)
    days += {"ndr": 1.5, "rto": 6.0, "lost": 12.0}.get(fate, 0.0)
    ends = stage.now + timedelta(days=days)
    return Journey(parcel.id, parcel.order_id, parcel.carrier, lines, fate, stage.now, ends)


def _fate(stage: Stage, parcel: Shipment, mode: PaymentMode) -> str:
    hard = _REMOTE_FACTOR if is_remote(parcel.postal_code or "") else 1.0
    shares = {
        "lost": _LOST,
        "damaged": _BROKEN,
        "rto": _COMES_BACK[mode] * hard,
        "ndr": _NOBODY_HOME * hard,
    }
    drawn = stage.rng.random()
    for fate, share in shares.items():
        if drawn < share:
            return fate
        drawn -= share
    return "normal"


def is_rush(day: date) -> bool:
    """Whether couriers are overrun: the fortnight before Diwali and the days after it."""
    feast = DIWALI.get(day.year)
    return feast is not None and -4 <= (date(day.year, *feast) - day).days <= 14
