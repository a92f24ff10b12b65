"""What staff hear of parcels: goods that came back to be received, parcels that never will arrive."""

from typing import Any

from sqlalchemy.orm import Session

from transactional.core.mail import queue_mail
from transactional.core.outbox import handles
from transactional.core.uow import Database
from transactional.settings import get_settings
from transactional.shipping.claims import CLAIM_OPENED
from transactional.shipping.reading import get_shipment, items_of
from transactional.shipping.tracking import RETURN_ARRIVED


@handles(RETURN_ARRIVED)
def tell_of_return(database: Database, payload: dict[str, Any]) -> None:
    """Queue one mail about goods that the courier brought back; repeating it queues nothing."""

    def work(session: Session) -> None:
        _write(
            database,
            session,
            payload["shipment_id"],
            subject="Returned goods have arrived: order {order_id}",
            body="The courier has brought back {goods} of order {order_id}. Check them and receive the return.",
            key=f"return_arrived:{payload['shipment_id']}",
        )

    database.run(work, actor="worker")


@handles(CLAIM_OPENED)
def tell_of_claim(database: Database, payload: dict[str, Any]) -> None:
    """Queue one mail about a parcel that was lost or broken; repeating it queues nothing."""
    cause = str(payload["cause"])

    def work(session: Session) -> None:
        _write(
            database,
            session,
            payload["shipment_id"],
            subject=f"A parcel was {cause} by the courier: order {{order_id}}",
            body=f"{{goods}} of order {{order_id}} were {cause} by the courier. Decide: a refund, or send them again.",
            key=f"claim:{payload['claim_id']}",
        )

    database.run(work, actor="worker")


def _write(database: Database, session: Session, shipment_id: int, *, subject: str, body: str, key: str) -> None:
    parcel = get_shipment(session, shipment_id)
    goods = ", ".join(f"{item.quantity} x {item.sku or item.order_line_id}" for item in items_of(session, shipment_id))
    facts = {"order_id": parcel.order_id, "goods": goods}
    queue_mail(
        session,
        to=get_settings().stock_mail_to,
        subject=subject.format(**facts),
        body=body.format(**facts),
        dedup_key=key,
        now=database.clock.now(),
    )
