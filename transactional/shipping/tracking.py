"""Taking scans in: every report is kept once, the parcel's status follows by the fold, orders hear of what counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core import outbox
from transactional.core.errors import NotFound
from transactional.shipping.carrier import RawScan, Tracking
from transactional.shipping.claims import open_claim, withdraw_claim
from transactional.shipping.codes import is_known, meaning_of
from transactional.shipping.models import (
    ClaimCause,
    CourierChoice,
    ScanSource,
    Shipment,
    ShipmentEvent,
    ShipmentItem,
    ShipmentKind,
    ShipmentStatus,
)
from transactional.shipping.scans import Report, keep, known_scans
from transactional.shipping.timeline import FINAL, NEEDS_CONFIRMATION, Scan, Standing, fold

log = structlog.stdlib.get_logger("transactional.shipping")

PICKED_UP = "shipping.parcel_picked_up"
DELIVERED = "shipping.parcel_delivered"
RETURNED = "shipping.parcel_returned"
"""Outbox topics {shipment_id, order_id, units: {order_line_id: quantity}, occurred_at}, once a parcel: the first scan
that shows it in the carrier's hands, its confirmed delivery, its confirmed end without one. The last adds `reason`; of
goods that were lost or broken it is told when their claim is decided for a refund, with `restock: false` and
`ours: true`. JSON makes the keys of `units` texts."""

RETURN_ARRIVED = "shipping.return_arrived"
"""Outbox topic, as those above, once a return parcel: the courier has brought the customer's goods to our door."""

_FUTURE = timedelta(days=1)
_TIMES: dict[ShipmentStatus, str] = {
    ShipmentStatus.AWB_ASSIGNED: "awb_assigned_at",
    ShipmentStatus.PICKUP_SCHEDULED: "pickup_scheduled_at",
    ShipmentStatus.IN_TRANSIT: "in_transit_at",
    ShipmentStatus.OUT_FOR_DELIVERY: "out_for_delivery_at",
    ShipmentStatus.UNDELIVERED: "undelivered_at",
    ShipmentStatus.DELIVERED: "delivered_at",
    ShipmentStatus.RTO_INITIATED: "rto_initiated_at",
    ShipmentStatus.RTO_IN_TRANSIT: "rto_in_transit_at",
    ShipmentStatus.RTO_DELIVERED: "rto_delivered_at",
    ShipmentStatus.CANCELLED: "cancelled_at",
    ShipmentStatus.LOST: "lost_at",
    ShipmentStatus.DAMAGED: "damaged_at",
}
_CAUSES = {ShipmentStatus.LOST: ClaimCause.LOST, ShipmentStatus.DAMAGED: ClaimCause.DAMAGED}


@dataclass(frozen=True, slots=True)
class _News:
    """Something that other domains must hear of once."""

    topic: str
    occurred_at: datetime
    more: Mapping[str, Any] = field(default_factory=dict)


def lock_shipment(session: Session, shipment_id: int) -> Shipment:
    """The parcel as it is now, its row locked until the commit. Raises NotFound."""
    statement = select(Shipment).where(Shipment.id == shipment_id).with_for_update()
    shipment = session.scalar(statement.execution_options(populate_existing=True))
    if shipment is None:
        raise NotFound("there is no such parcel")
    return shipment


def take_in(
    session: Session, shipment: Shipment, reports: Iterable[Report], *, source: ScanSource, now: datetime
) -> Standing:
    """Keep reports on a locked parcel and let its status follow. Repeating it changes nothing."""
    known = known_scans(session, shipment.id)
    if not known and shipment.status is not ShipmentStatus.CREATED:
        known = keep(session, shipment.id, [_start_of(shipment)], known, source=ScanSource.SHOP, now=now)
    known = keep(session, shipment.id, reports, known, source=source, now=now)
    return _refold(session, shipment, fold(known.values()), now)


def take_in_tracking(session: Session, shipment: Shipment, told: Tracking, *, now: datetime) -> Standing:
    """What the carrier's own API says of a locked parcel, which also confirms what webhooks claimed before."""
    reports = reports_from(told.scans, now=now)
    stands = meaning_of(told.code).status
    if stands in NEEDS_CONFIRMATION and all(report.status is not stands for report in reports):
        # The head of the answer may be ahead of its list of scans.
        claimed = _claim_of(session, shipment, stands)
        at = told.delivered_at if stands is ShipmentStatus.DELIVERED and told.delivered_at else None
        report = claimed or Report(told.code, "head", at or shipment.polled_at or now, stands)
        reports.append(report)
    shipment.tracking_url = told.url or shipment.tracking_url
    shipment.expected_delivery_at = told.expected_at or shipment.expected_delivery_at
    return take_in(session, shipment, reports, source=ScanSource.TRACKING, now=now)


def reports_from(scans: Sequence[RawScan], *, now: datetime) -> list[Report]:
    """The carrier's scans in our words; a scan without a time, or from tomorrow, cannot be placed and is dropped."""
    reports = []
    for scan in scans:
        if scan.occurred_at is None or scan.occurred_at > now + _FUTURE:
            log.warning("scan without a usable time", code=scan.code, courier_status=scan.courier_status)
            continue
        meaning = meaning_of(scan.code)
        if not is_known(scan.code):
            log.info("unknown scan code", code=scan.code, courier_status=scan.courier_status)
        reports.append(
            Report(
                code=scan.code,
                courier_status=scan.courier_status,
                occurred_at=scan.occurred_at,
                status=meaning.status,
                problem=meaning.problem,
                activity=scan.activity,
                location=scan.location,
            )
        )
    return reports


def events_of(session: Session, shipment_id: int) -> Sequence[ShipmentEvent]:
    """Everything that was told of a parcel, in the order in which it happened."""
    return session.scalars(
        select(ShipmentEvent)
        .where(ShipmentEvent.shipment_id == shipment_id)
        .order_by(ShipmentEvent.occurred_at, ShipmentEvent.id)
        .execution_options(populate_existing=True)
    ).all()


def counts_for(event: ShipmentEvent) -> bool:
    """Whether a scan may decide where its parcel stands: not if only a webhook claims what money follows."""
    return Scan(event.status, event.occurred_at, event.problem, event.confirmed).counts


def units_of(session: Session, shipment_id: int) -> dict[int, int]:
    """Order line → units in a parcel."""
    rows = session.execute(
        select(ShipmentItem.order_line_id, ShipmentItem.quantity)
        .where(ShipmentItem.shipment_id == shipment_id)
        .order_by(ShipmentItem.order_line_id)
    )
    return dict(row.tuple() for row in rows)


def _start_of(shipment: Shipment) -> Report:
    """A parcel from before its scans were kept starts from where it stood."""
    at = shipment.delivered_at if shipment.status is ShipmentStatus.DELIVERED else shipment.shipped_at
    return Report("", "before", at or shipment.created_at, shipment.status)


def _claim_of(session: Session, shipment: Shipment, status: ShipmentStatus) -> Report | None:
    """The scan by which a webhook claimed this state."""
    claims = [event for event in events_of(session, shipment.id) if event.status is status]
    if not claims:
        return None
    first = claims[0]
    return Report(first.code, first.courier_status, first.occurred_at, first.status)


def _refold(session: Session, shipment: Shipment, standing: Standing, now: datetime) -> Standing:
    """Write where the parcel stands after all its scans, and tell of what happened for the first time."""
    news = _news(shipment, standing)
    lost = _CAUSES.get(standing.status) if not _was_seen(shipment, standing.status) else None
    shipment.status = standing.status
    shipment.problem = standing.problem
    shipment.shipped_at = standing.picked_up_at or shipment.shipped_at
    for status, column in _TIMES.items():
        if status in standing.first_seen:
            setattr(shipment, column, standing.first_seen[status])
    if standing.status in FINAL:
        _settle_cost(session, shipment)
    session.flush()
    _publish(session, shipment, news, now)
    if shipment.kind is ShipmentKind.FORWARD:
        if lost is not None:
            open_claim(session, shipment, lost, occurred_at=standing.first_seen[standing.status], now=now)
        elif standing.status not in _CAUSES and (shipment.lost_at or shipment.damaged_at):
            withdraw_claim(session, shipment.id, now=now)
    return standing


def publish_loss(
    session: Session, shipment: Shipment, *, cause: ClaimCause, occurred_at: datetime, now: datetime
) -> None:
    """Tell orders that what is in a locked parcel never will arrive, by no fault of the buyer."""
    more = {"reason": f"{cause} by the courier", "restock": False, "ours": True}
    _publish(session, shipment, [_News(RETURNED, occurred_at, more)], now)


def _was_seen(shipment: Shipment, status: ShipmentStatus) -> bool:
    """Whether an earlier fold has written down that the parcel reached this state."""
    return status in _TIMES and getattr(shipment, _TIMES[status]) is not None


def _news(shipment: Shipment, standing: Standing) -> list[_News]:
    """What nobody has been told of yet, in the order of a parcel's life."""
    seen = standing.first_seen
    arrives = shipment.delivered_at is None and ShipmentStatus.DELIVERED in seen
    if shipment.kind is ShipmentKind.RETURN:
        return [_News(RETURN_ARRIVED, seen[ShipmentStatus.DELIVERED])] if arrives else []
    news: list[_News] = []
    if shipment.shipped_at is None and standing.picked_up_at is not None:
        news.append(_News(PICKED_UP, standing.picked_up_at))
    if arrives:
        news.append(_News(DELIVERED, seen[ShipmentStatus.DELIVERED]))
    home = ShipmentStatus.RTO_DELIVERED
    if shipment.rto_delivered_at is None and standing.status is home:
        news.append(_News(RETURNED, seen[home], {"reason": "came back undelivered"}))
    return news


def _publish(session: Session, shipment: Shipment, news: Sequence[_News], now: datetime) -> None:
    units = units_of(session, shipment.id) if news else {}
    for each in news:
        payload = {
            "shipment_id": shipment.id,
            "order_id": shipment.order_id,
            "units": {str(line_id): quantity for line_id, quantity in units.items()},
            "occurred_at": each.occurred_at.isoformat(),
            **each.more,
        }
        outbox.publish(session, each.topic, payload, dedup_key=f"{each.topic}:{shipment.id}", now=now)


def _settle_cost(session: Session, shipment: Shipment) -> None:
    """What the parcel cost, until the carrier's bill says otherwise: the rate, and the way back if it took it."""
    if shipment.cost_minor is not None or shipment.quoted_minor is None:
        return
    if shipment.status is ShipmentStatus.CANCELLED:
        shipment.cost_minor = 0
        return
    back = 0
    if shipment.status is ShipmentStatus.RTO_DELIVERED:
        back = (
            session.scalar(
                select(CourierChoice.rto_charge_minor).where(
                    CourierChoice.shipment_id == shipment.id,
                    CourierChoice.attempt == shipment.attempt,
                    CourierChoice.chosen,
                )
            )
            or 0
        )
    shipment.cost_minor = shipment.quoted_minor + back
