"""Whether an order may lack a document, told by one statement: most of what happens to orders needs none."""

from functools import cache

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, exists, select
from sqlalchemy.orm import Session

from transactional.documents.models import TaxDocument, TaxDocumentLine
from transactional.orders import service as orders
from transactional.payments import service as payments


def may_be_due(session: Session, order_id: int) -> bool:
    """False where every paper is certainly written, or none is needed yet; also for an order that does not exist.

    Needs no lock: whatever changes an order later asks again after its own commit.
    """
    return bool(session.scalar(_statement(), {"order_id": order_id}))


@cache
def _statement() -> Select[tuple[bool]]:
    """Built once: it is asked after every step of every order.

    Papers begin with the first parcel. From then on an invoice is missing only where kept units stand on none, and a
    credit note only where something was decided about the order's money or some of it went back.
    """
    order_id: BindParameter[int] = bindparam("order_id")
    lines = exists().where(orders.OrderLine.order_id == order_id)
    has_left = lines.where(orders.OrderLine.shipped_quantity > 0)
    has_document = exists().where(TaxDocument.order_id == order_id)
    decided = exists().where(orders.OrderRefundDecision.order_id == order_id)
    given_back = exists().where(
        payments.Payment.order_id == order_id,
        payments.Payment.refunded_minor + payments.Payment.refund_pending_minor > 0,
    )
    return select((has_left | has_document) & (has_left.where(*_uninvoiced()) | decided | given_back))


def _uninvoiced() -> list[ColumnElement[bool]]:
    """Units of the line are kept and none of them is on an invoice."""
    on_paper = exists().where(TaxDocumentLine.order_line_id == orders.OrderLine.id)
    line = orders.OrderLine
    given_back = line.cancelled_quantity + line.came_back_quantity + line.returned_quantity
    return [given_back < line.quantity, ~on_paper]
