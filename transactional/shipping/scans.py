"""The scans of a parcel as they are kept: each once, however often and by whomever it is told."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.shipping.models import ScanSource, ShipmentEvent, ShipmentStatus
from transactional.shipping.timeline import Scan


@dataclass(frozen=True, slots=True)
class Report:
    """One scan to be kept."""

    code: str
    courier_status: str
    occurred_at: datetime
    status: ShipmentStatus | None
    problem: str | None = None
    activity: str = ""
    location: str = ""

    @property
    def key(self) -> str:
        """The same for the same scan, whoever tells of it and how often."""
        identity = f"{self.code}|{self.occurred_at.isoformat()}|{self.courier_status}"
        return hashlib.sha256(identity.encode()).hexdigest()


def known_scans(session: Session, shipment_id: int) -> dict[str, Scan]:
    """Key → scan of all that was told of a parcel so far."""
    rows = session.execute(
        select(
            ShipmentEvent.scan_key,
            ShipmentEvent.status,
            ShipmentEvent.occurred_at,
            ShipmentEvent.problem,
            ShipmentEvent.confirmed,
        ).where(ShipmentEvent.shipment_id == shipment_id)
    )
    return {key: Scan(status, occurred_at, problem, confirmed) for key, status, occurred_at, problem, confirmed in rows}


def keep(
    session: Session,
    shipment_id: int,
    reports: Iterable[Report],
    known: Mapping[str, Scan],
    *,
    source: ScanSource,
    now: datetime,
) -> dict[str, Scan]:
    """Write what the reports on a locked parcel add to its `known` scans, in one statement; gives all scans.

    A scan that only a webhook had claimed is confirmed by whoever can be believed; everything else is left as it was
    first told.
    """
    confirmed = source is not ScanSource.WEBHOOK
    scans = dict(known)
    fresh: dict[str, Report] = {}
    for report in reports:
        key = report.key
        before = scans.get(key)
        if before is None:
            scans[key] = Scan(report.status, report.occurred_at, report.problem, confirmed)
            fresh[key] = report
        elif confirmed and not before.confirmed:
            scans[key] = replace(before, confirmed=True)
            fresh[key] = report
    if fresh:
        insert = insert_into(session, ShipmentEvent)
        # The parcel's lock keeps others away; the constraint has the last word all the same.
        upsert = insert.on_conflict_do_update(
            index_elements=["shipment_id", "scan_key"],
            set_={"confirmed": insert.excluded.confirmed, "source": insert.excluded.source},
            where=ShipmentEvent.confirmed.is_(False),
        )
        told = {"shipment_id": shipment_id, "source": source, "confirmed": confirmed, "received_at": now}
        rows = [{**told, **_row(key, report)} for key, report in fresh.items()]
        # Rows with and without a status or a problem go together.
        session.execute(upsert, rows, execution_options={"render_nulls": True})
    return scans


def _row(key: str, report: Report) -> dict[str, object]:
    return {
        "scan_key": key,
        "code": report.code,
        "courier_status": report.courier_status,
        "activity": report.activity,
        "location": report.location,
        "status": report.status,
        "problem": report.problem,
        "occurred_at": report.occurred_at,
    }
