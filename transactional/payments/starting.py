"""Starting a payment: our request is committed before the gateway hears of it, so no answer can be lost for good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict
from transactional.core.uow import Database
from transactional.orders import service as orders
from transactional.payments.gateway import OrderSnapshot, PaymentGateway, Unknown
from transactional.payments.models import GatewayOrder, Payment, RequestPurpose

log = structlog.stdlib.get_logger("transactional.payments")


class NotPayable(Conflict):
    """The order does not wait for an online payment."""

    code = "order-not-payable"
    title = "This order cannot be paid now"


class NotApproved(NotPayable):
    """Something is made to order, and the customer has not agreed to it, or not to this content."""

    code = "order-not-approved"
    title = "This order waits for its approval"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be asked for."""

    amount_minor: int
    purpose: RequestPurpose
    approval: orders.OrderApproval | None

    @property
    def approval_sha256(self) -> str | None:
        return self.approval.content_sha256 if self.approval is not None else None

    @property
    def expires_at(self) -> datetime | None:
        return self.approval.expires_at if self.approval is not None else None


def start_payment(database: Database, *, order_id: int, gateway: PaymentGateway, now: datetime) -> GatewayOrder:
    """Give the gateway's order that the shopper pays; the same one as long as amount and approved content are the same.

    Three steps: our row with its receipt is committed, the gateway is called outside of any transaction, its id is
    posted. After a lost answer the receipt is looked up before anything is created again. What is asked for is what
    the order has due now: all of it, or what a change added. Raises NotPayable, NotApproved, NotFound or the gateway's
    errors.
    """
    request, is_new = database.run(
        lambda session: _write_request(session, order_id, gateway.name, now), actor="payments"
    )
    if request.gateway_order_id is not None:
        return request
    snapshot = create_at_gateway(gateway, request, look_first=not is_new)
    return database.run(lambda session: post_gateway_order(session, request.id, snapshot), actor="payments")


def _write_request(session: Session, order_id: int, gateway: str, now: datetime) -> tuple[GatewayOrder, bool]:
    """Our request for what the order has due, and whether it is new: then with the next receipt."""
    order = orders.lock_order(session, order_id)  # two starts at once: the second finds the first one's row
    wanted = _wanted(session, order, now)
    earlier = _earlier_requests(session, order)
    for request, paid in earlier:
        if not paid and _asks_for(request, order, wanted, gateway):
            return request, False
    request = GatewayOrder(
        order_id=order.id,
        gateway=gateway,
        receipt=f"{order.order_number}-{len(earlier) + 1}",
        amount_minor=wanted.amount_minor,
        currency=order.currency,
        purpose=wanted.purpose,
        approval_sha256=wanted.approval_sha256,
        expires_at=wanted.expires_at,
        created_at=now,
    )
    session.add(request)
    session.flush()
    return request, True


def _wanted(session: Session, order: orders.Order, now: datetime) -> _Wanted:
    """What the order has due. Raises NotPayable and NotApproved."""
    lines = orders.lines_of(session, order.id)
    amount = orders.amount_due(session, order.id, lines=lines)
    if order.status is orders.OrderStatus.AWAITING_EXTRA_PAYMENT and amount > 0:
        return _Wanted(amount, RequestPurpose.EXTRA, None)
    if order.status is orders.OrderStatus.AWAITING_APPROVAL:
        raise NotApproved(f"order {order.order_number} is made to order: the design has to be approved before")
    if order.status is not orders.OrderStatus.AWAITING_PAYMENT:
        raise NotPayable(f"order {order.order_number} is {order.status}, not awaiting payment")
    if order.payment_mode is not orders.PaymentMode.ONLINE or amount < 1:
        raise NotPayable(f"order {order.order_number} is not paid online")
    if order.expires_at is not None and order.expires_at <= now:
        raise NotPayable(f"the time to pay order {order.order_number} is over")
    return _Wanted(amount, RequestPurpose.ORDER, _approval(session, order, lines, now))


def _approval(
    session: Session, order: orders.Order, lines: Sequence[orders.OrderLine], now: datetime
) -> orders.OrderApproval | None:
    if not orders.needs_approval(line.customisation for line in lines):
        return None
    approval = orders.live_approval(session, order.id, now)
    if approval is None:
        raise NotApproved(f"order {order.order_number} has no approval, or its approval has expired")
    return approval


def _earlier_requests(session: Session, order: orders.Order) -> list[tuple[GatewayOrder, bool]]:
    """Every request for the order, oldest first, and whether somebody has paid it."""
    paid = exists().where(Payment.gateway_order_id == GatewayOrder.id, Payment.captured_minor > 0)
    statement = select(GatewayOrder, paid).where(GatewayOrder.order_id == order.id).order_by(GatewayOrder.id)
    return [(request, was_paid) for request, was_paid in session.execute(statement)]


def _asks_for(request: GatewayOrder, order: orders.Order, wanted: _Wanted, gateway: str) -> bool:
    """Whether a request is for the same."""
    asked = (request.gateway, request.amount_minor, request.currency, request.purpose, request.approval_sha256)
    return asked == (gateway, wanted.amount_minor, order.currency, wanted.purpose, wanted.approval_sha256)


def create_at_gateway(gateway: PaymentGateway, request: GatewayOrder, *, look_first: bool) -> OrderSnapshot:
    """The gateway's order for a request. `look_first` where an earlier call may have come through unheard."""
    if look_first:
        found = find_by_receipt(gateway, request)
        if found is not None:
            return found
    try:
        return _call(gateway, request)
    except Unknown as error:
        log.warning("gateway order unclear", receipt=request.receipt, reason=str(error))
        return find_by_receipt(gateway, request) or _call(gateway, request)


def _call(gateway: PaymentGateway, request: GatewayOrder) -> OrderSnapshot:
    return gateway.create_order(
        amount_minor=request.amount_minor,
        currency=request.currency,
        receipt=request.receipt,
        notes=_notes(request),
    )


def _notes(request: GatewayOrder) -> dict[str, str]:
    """What the gateway keeps for us; the hash says which content was approved for this money."""
    notes = {"receipt": request.receipt}
    if request.approval_sha256 is not None:
        notes["approval_sha256"] = request.approval_sha256
    return notes


def find_by_receipt(gateway: PaymentGateway, request: GatewayOrder) -> OrderSnapshot | None:
    """The oldest order at the gateway with our receipt, amount and currency; a younger twin is never paid."""
    wanted = (request.amount_minor, request.currency)
    orders_found = gateway.orders_by_receipt(request.receipt)
    return next((order for order in orders_found if (order.amount_minor, order.currency) == wanted), None)


def post_gateway_order(session: Session, request_id: int, snapshot: OrderSnapshot) -> GatewayOrder:
    """Write the gateway's id on our request, unless another call was faster: then that one's id counts."""
    posted = session.scalar(
        update(GatewayOrder)
        .where(GatewayOrder.id == request_id, GatewayOrder.gateway_order_id.is_(None))
        .values(gateway_order_id=snapshot.order_id)
        .returning(GatewayOrder)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return posted or session.get_one(GatewayOrder, request_id, populate_existing=True)
