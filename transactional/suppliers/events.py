"""What suppliers hear of the shop."""

from typing import Any

from sqlalchemy.orm import Session

from transactional.core.mail import queue_mail
from transactional.core.outbox import handles
from transactional.core.uow import Database
from transactional.suppliers import ordering
from transactional.suppliers.catalogue import get_product, get_supplier
from transactional.suppliers.ordering import ORDER_PLACED


@handles(ORDER_PLACED)
def send_order(database: Database, payload: dict[str, Any]) -> None:
    """Mail a placed order to its supplier, if the shop knows the address; repeating it sends nothing."""

    def work(session: Session) -> None:
        order = ordering.get_order(session, payload["purchase_order_id"])
        supplier = get_supplier(session, order.supplier_id)
        if not supplier.email:
            return
        lines = [
            f"{line.quantity} x {get_product(session, line.supplier_product_id).supplier_sku}"
            for line in ordering.lines_of(session, order.id)
        ]
        queue_mail(
            session,
            to=supplier.email,
            subject=f"Order {order.purchase_number}",
            body="\n".join([f"Please deliver for order {order.purchase_number}:", *lines]),
            dedup_key=f"purchase_order:{order.id}",
            now=database.clock.now(),
        )

    database.run(work, actor="worker")
