"""What the staff hears of stock."""

from typing import Any

from sqlalchemy.orm import Session

from transactional.catalog.service import variants_by_id
from transactional.core.mail import queue_mail
from transactional.core.outbox import handles
from transactional.core.uow import Database
from transactional.inventory.alerts import LOW_STOCK
from transactional.inventory.locations import get_location
from transactional.settings import get_settings


@handles(LOW_STOCK)
def tell_staff(database: Database, payload: dict[str, Any]) -> None:
    """Queue one mail about a level that fell below its mark; repeating it queues nothing."""

    def work(session: Session) -> None:
        sku = variants_by_id(session, [payload["variant_id"]])[payload["variant_id"]].sku
        place = get_location(session, payload["location_id"]).name
        queue_mail(
            session,
            to=get_settings().stock_mail_to,
            subject=f"Low stock: {sku}",
            body=(
                f"{payload['saleable']} units of {sku} are left to sell at {place}; "
                f"you asked to hear of fewer than {payload['low_stock_level']}."
            ),
            dedup_key=f"low_stock:{payload['alert_id']}",
            now=database.clock.now(),
        )

    database.run(work, actor="worker")
