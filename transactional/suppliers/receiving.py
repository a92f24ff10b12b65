"""Deliveries: what came of an order goes onto the shelf in the same transaction, once however often it is reported."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, IdempotencyMismatch, IllegalTransition, InvalidInput, NotFound
from transactional.inventory import service as inventory
from transactional.suppliers import requirements
from transactional.suppliers.models import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseReceipt,
    PurchaseReceiptLine,
    PurchaseStatus,
)
from transactional.suppliers.ordering import lines_of, lock_order, move, outstanding

_OPEN = (PurchaseStatus.PLACED, PurchaseStatus.PARTIALLY_RECEIVED, PurchaseStatus.RECEIVED)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of a line: good units, damaged ones, and those that the supplier says will not come."""

    line_id: int
    quantity: int
    damaged: int = 0
    short: int = 0


def receive_delivery(
    session: Session,
    *,
    purchase_order_id: int,
    arrived: Sequence[Arrived],
    key: str,
    actor: str,
    now: datetime,
    location_id: int | None = None,
    delivery_note: str = "",
) -> PurchaseReceipt:
    """Book a delivery at `location_id` (default: the order's): one stock movement for each line that brings good units.

    The same key with the same lines gives the receipt that it gave before. The order becomes partially received or
    received. Raises NotFound (order, line, location), InvalidInput (nothing came, a line twice), IllegalTransition for
    an order that expects nothing, Conflict where more came of a line than was ordered with its tolerance,
    IdempotencyMismatch for a key that was used for another delivery.
    """
    _check(arrived)
    order = lock_order(session, purchase_order_id)
    known = _receipt_with(session, order, key, arrived)
    if known is not None:
        return known
    if order.status not in _OPEN:
        raise IllegalTransition(f"order {order.purchase_number} is {order.status}: no delivery is expected")
    receipt = PurchaseReceipt(
        purchase_order_id=order.id,
        location_id=inventory.get_location(session, location_id or order.location_id).id,
        key=key,
        delivery_note=delivery_note[:120],
        received_by=actor[:64],
        received_at=now,
    )
    session.add(receipt)
    session.flush()
    variants = {line.id: line.variant_id for line in lines_of(session, order.id)}
    unknown = sorted({part.line_id for part in arrived} - set(variants))
    if unknown:
        raise NotFound(f"order {order.purchase_number} has no line {unknown[0]}")
    # By variant: the order in which everybody locks stock levels.
    for part in sorted(arrived, key=lambda part: (variants[part.line_id], part.line_id)):
        _book(session, order, receipt, part, variant_id=variants[part.line_id], now=now)
    _settle(session, order, now)
    return receipt


def receipts_of(session: Session, purchase_order_id: int) -> list[tuple[PurchaseReceipt, list[PurchaseReceiptLine]]]:
    """The deliveries of an order with their lines, oldest first."""
    rows = session.execute(
        select(PurchaseReceipt, PurchaseReceiptLine)
        .join(PurchaseReceiptLine, PurchaseReceiptLine.purchase_receipt_id == PurchaseReceipt.id)
        .where(PurchaseReceipt.purchase_order_id == purchase_order_id)
        .order_by(PurchaseReceipt.id, PurchaseReceiptLine.purchase_order_line_id)
    )
    found: dict[int, tuple[PurchaseReceipt, list[PurchaseReceiptLine]]] = {}
    for receipt, line in rows:
        found.setdefault(receipt.id, (receipt, []))[1].append(line)
    return list(found.values())


def _check(arrived: Sequence[Arrived]) -> None:
    if not arrived:
        raise InvalidInput("a delivery has at least one line", field="lines")
    if len({part.line_id for part in arrived}) < len(arrived):
        raise InvalidInput("a delivery names a line once", field="lines")
    for part in arrived:
        counts = (part.quantity, part.damaged, part.short)
        if min(counts) < 0 or not any(counts):
            raise InvalidInput("a delivery's line says how many came, were damaged or will not come", field="lines")


def _receipt_with(
    session: Session, order: PurchaseOrder, key: str, arrived: Sequence[Arrived]
) -> PurchaseReceipt | None:
    receipt = session.scalar(
        select(PurchaseReceipt).where(PurchaseReceipt.purchase_order_id == order.id, PurchaseReceipt.key == key)
    )
    if receipt is None:
        return None
    rows = session.scalars(select(PurchaseReceiptLine).where(PurchaseReceiptLine.purchase_receipt_id == receipt.id))
    booked = {
        Arrived(row.purchase_order_line_id, row.quantity, row.damaged_quantity, row.short_quantity) for row in rows
    }
    if booked != set(arrived):
        raise IdempotencyMismatch(f"the key {key!r} was used for another delivery of this order")
    return receipt


def _book(
    session: Session, order: PurchaseOrder, receipt: PurchaseReceipt, part: Arrived, *, variant_id: int, now: datetime
) -> None:
    _count(session, order, part)
    line = PurchaseReceiptLine(
        purchase_receipt_id=receipt.id,
        purchase_order_line_id=part.line_id,
        quantity=part.quantity,
        damaged_quantity=part.damaged,
        short_quantity=part.short,
    )
    session.add(line)
    session.flush()
    if part.quantity:
        inventory.receive(
            session,
            variant_id=variant_id,
            location_id=receipt.location_id,
            quantity=part.quantity,
            reason=f"{order.purchase_number} {receipt.delivery_note}".strip(),
            now=now,
            purchase_receipt_line_id=line.id,
        )


def _count(session: Session, order: PurchaseOrder, part: Arrived) -> None:
    """Count the units on the order's line by one guarded write, so that no two deliveries together exceed it."""
    line: type[PurchaseOrderLine] = PurchaseOrderLine
    came = part.quantity + part.damaged
    fits = line.received_quantity + line.damaged_quantity + came <= line.quantity + line.tolerance
    if part.short:
        # What is written off was still to come.
        fits = and_(fits, outstanding(line) >= came + part.short)
    counted = session.scalar(
        update(line)
        .where(line.id == part.line_id, line.purchase_order_id == order.id, fits)
        .values(
            received_quantity=line.received_quantity + part.quantity,
            damaged_quantity=line.damaged_quantity + part.damaged,
            short_quantity=line.short_quantity + part.short,
        )
        .returning(line.id)
        .execution_options(synchronize_session=False)
    )
    if counted is None:
        raise Conflict(_too_much(session, order, part))


def _too_much(session: Session, order: PurchaseOrder, part: Arrived) -> str:
    line = session.get_one(PurchaseOrderLine, part.line_id, populate_existing=True)
    return (
        f"line {line.id} of {order.purchase_number}: {line.quantity} units were ordered (tolerance {line.tolerance}), "
        f"{line.received_quantity + line.damaged_quantity} have come and {line.short_quantity} are written off; "
        f"{part.quantity + part.damaged} more and {part.short} short do not fit"
    )


def _settle(session: Session, order: PurchaseOrder, now: datetime) -> None:
    """Move the order on by what is still outstanding; requirements of lines that are complete are met."""
    open_lines = session.scalars(
        select(PurchaseOrderLine.id).where(
            PurchaseOrderLine.purchase_order_id == order.id, outstanding(PurchaseOrderLine) > 0
        )
    ).all()
    complete = [line.id for line in lines_of(session, order.id) if line.id not in open_lines]
    requirements.meet(session, complete, now=now)
    target = PurchaseStatus.PARTIALLY_RECEIVED if open_lines else PurchaseStatus.RECEIVED
    if order.status is not target:
        move(session, order, target)
    if target is PurchaseStatus.RECEIVED:
        order.received_at = now
    session.flush()
