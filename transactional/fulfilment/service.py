"""Packing units of an order into a parcel, and what customers see of it.

Shipping knows nothing of orders; this domain reads what an order says and hands plain values on.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.core.errors import Conflict, InvalidInput
from transactional.orders import service as orders
from transactional.orders.service import Order, OrderLine, OrderStatus, PaymentMode
from transactional.shipping import service as shipping
from transactional.shipping.service import Box, Contents, NewParcel, Shipment

_SENDABLE = frozenset({OrderStatus.PACKED, OrderStatus.PARTIALLY_SHIPPED, OrderStatus.PARTIALLY_DELIVERED})


def pack_parcel(
    session: Session,
    *,
    order_id: int,
    units: Mapping[int, int] | None,
    box: Box,
    weight_grams: int,
    carrier: str,
    now: datetime,
    pickup_on: date | None = None,
    contact_phone: str | None = None,
) -> Shipment:
    """Put units of an order (order line → quantity; everything that is left by default) into a parcel.

    Couriers want a number to call: where the buyer gave none it is `contact_phone`, the shop's own.

    A carrier starts its work after the commit. Money: what the units cost the buyer, frozen; where the courier
    collects, the order's charges go with the first parcel. Raises NotFound, Conflict for an order that may not be
    sent or units that are not left, InvalidInput for what no carrier takes.
    """
    order = orders.lock_order(session, order_id)
    if order.status not in _SENDABLE and not orders.allowed(order, OrderStatus.PACKED):
        raise Conflict(f"order {order.order_number} is {order.status}: nothing of it can be sent")
    lines = orders.lines_of(session, order_id)
    packed = shipping.units_in_parcels(session, order_id)
    wanted = _wanted(lines, packed, units)
    contents = [
        Contents(
            order_line_id=line.id,
            quantity=quantity,
            sku=line.sku,
            title=line.title,
            value_minor=orders.price_of_units(order, line, packed.get(line.id, 0), quantity),
        )
        for line, quantity in wanted
    ]
    goods = sum(each.value_minor for each in contents)
    is_last = sum(_left(line, packed.get(line.id, 0)) for line in lines) == sum(quantity for _, quantity in wanted)
    collected = _collected(session, order, goods, is_last=is_last)
    parcel = NewParcel(
        order_id=order.id,
        customer_id=order.customer_id,
        ship_to={**order.ship_to, "phone": order.ship_to.get("phone") or contact_phone},
        email=_email(session, order),
        currency=order.currency,
        contents=contents,
        weight_grams=weight_grams,
        box=box,
        cod=collected > 0,
        charges_minor=collected - goods if collected > 0 else 0,
        pickup_on=pickup_on,
    )
    return shipping.create_parcel(session, parcel=parcel, carrier=carrier, now=now)


def _wanted(
    lines: Sequence[OrderLine], packed: Mapping[int, int], units: Mapping[int, int] | None
) -> list[tuple[OrderLine, int]]:
    """The lines with what goes into the parcel. Raises InvalidInput, Conflict."""
    left = {line.id: _left(line, packed.get(line.id, 0)) for line in lines}
    asked = {line_id: quantity for line_id, quantity in left.items() if quantity} if units is None else dict(units)
    if not asked:
        raise Conflict("every unit of the order is in a parcel already, or will not be sent")
    unknown = sorted(asked.keys() - left.keys())
    if unknown:
        raise InvalidInput(f"the order has no line {unknown[0]}", field="units")
    for line_id, quantity in asked.items():
        if quantity < 1:
            raise InvalidInput("a parcel holds whole units, at least one of each line", field="units")
        if quantity > left[line_id]:
            raise Conflict(
                f"{left[line_id]} units of line {line_id} are left to pack, not {quantity}", left=left[line_id]
            )
    return [(line, asked[line.id]) for line in lines if line.id in asked]


def _collected(session: Session, order: Order, goods_minor: int, *, is_last: bool) -> int:
    """What the courier collects with this parcel: its goods, the order's charges with the first one, and with the last
    one exactly what of the order's due is not collected by the others."""
    if order.payment_mode is not PaymentMode.ON_DELIVERY:
        return 0
    open_minor = max(0, orders.amount_due(session, order.id) - shipping.collecting_minor(session, order.id))
    if is_last:
        return open_minor
    is_first = not shipping.has_live_parcel(session, order.id)
    return min(open_minor, goods_minor + (order.shipping_minor + order.wrap_minor if is_first else 0))


def _left(line: OrderLine, packed: int) -> int:
    """Units neither in a parcel nor gone otherwise; parcels of before told nobody what was in them."""
    return max(0, min(line.quantity - line.cancelled_quantity - packed, line.unshipped_quantity))


def _email(session: Session, order: Order) -> str | None:
    if order.email or order.customer_id is None:
        return order.email
    return accounts.get_customer(session, order.customer_id).email
