"""From a paid order to parcels: what lies on the shelf is packed, most orders in one box, some in two or more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from transactional.catalog import service as catalog
from transactional.inventory import service as inventory
from transactional.orders import service as orders
from transactional.orders.service import Order, OrderLine, OrderStatus, PaymentMode
from transactional.shipping import service as shipping
from transactional.shipping.service import Box, Contents, NewParcel, Shipment
from transactional.simulation import carriage, travelling
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import STAFF, Stage

_IN_TWO_BOXES = 0.12
_PATIENCE = 25
"""So many times goods that never came are looked for before they are called off."""
_BOX_MM = ((180, 120, 60), (250, 200, 100), (350, 250, 160), (450, 350, 220))
_WAITS = (OrderStatus.MODIFYING, OrderStatus.AWAITING_EXTRA_PAYMENT)
_PACKABLE = (
    OrderStatus.PAID,
    OrderStatus.AWAITING_PAYMENT,
    OrderStatus.PACKED,
    OrderStatus.PARTIALLY_SHIPPED,
    OrderStatus.SHIPPED,
    OrderStatus.PARTIALLY_DELIVERED,
)


@dataclass(frozen=True, slots=True)
class _Packed:
    """A parcel with the lines in it, and how their order is paid."""

    parcel: Shipment
    lines: Sequence[OrderLine]
    mode: PaymentMode


def plan(stage: Stage, shopper: Shopper, order_id: int) -> None:
    """The order is packed on the next working day or the one after."""
    stage.later(stage.after(8, 44), lambda: _pack(stage, shopper, order_id, looked=0))


def _pack(stage: Stage, shopper: Shopper, order_id: int, *, looked: int) -> None:
    """Pack what can be packed now; look again tomorrow for the rest."""

    def job(session: Session) -> tuple[_Packed | None, bool]:
        order = orders.lock_order(session, order_id)
        if order.status in _WAITS:
            return None, True
        everything = orders.lines_of(session, order_id)
        boxed = shipping.units_in_parcels(session, order_id)
        lines = [line for line in everything if line.unshipped_quantity and line.id not in boxed]
        if order.status not in _PACKABLE or not lines:
            return None, False
        ready = [line for line in lines if _is_on_shelf(session, stage, line)]
        if not ready:
            return None, _wait_or_give_up(session, stage, order_id, lines, looked)
        if len(ready) > 1 and stage.chance(_IN_TWO_BOXES):
            ready = ready[: len(ready) // 2]
        is_first = not any(line.shipped_quantity for line in everything)
        parcel = _box_up(session, stage, order, ready, is_first=is_first)
        return _Packed(parcel, ready, order.payment_mode), len(ready) < len(lines)

    packed, goes_on = stage.work(STAFF, job)
    if packed is not None:
        travelling.hand_over(stage, shopper, packed.parcel, packed.lines, packed.mode)
    if goes_on:
        wait = stage.after(3, 20) if packed is not None else timedelta(days=1)
        stage.later(wait, lambda: _pack(stage, shopper, order_id, looked=looked + 1))


def _is_on_shelf(session: Session, stage: Stage, line: OrderLine) -> bool:
    """Whether the goods are there; only what may be back-ordered can be sold before it is."""
    if line.sku not in stage.shelf.made_to_order:
        return True
    there = sum(level.on_hand for level in inventory.levels(session, variant_id=line.variant_id))
    return there >= line.unshipped_quantity


def _wait_or_give_up(session: Session, stage: Stage, order_id: int, lines: Sequence[OrderLine], looked: int) -> bool:
    """Whether to look again; after weeks the shop calls the goods off, and the fault is its own."""
    if looked < _PATIENCE:
        stage.counts["waits for back-ordered goods"] += 1
        return True
    units = {line.id: line.unshipped_quantity for line in lines}
    orders.cancel_units(
        session,
        order_id=order_id,
        units=units,
        actor=STAFF,
        reason="the supplier cannot deliver",
        now=stage.now,
        ours=True,
    )
    stage.counts["back-orders given up"] += 1
    return False


def _box_up(session: Session, stage: Stage, order: Order, lines: Sequence[OrderLine], *, is_first: bool) -> Shipment:
    """Close a box over these lines and write its parcel."""
    if order.status in (OrderStatus.PAID, OrderStatus.AWAITING_PAYMENT):
        orders.pack(session, order_id=order.id, actor=STAFF, now=stage.now)
    products = catalog.products_by_id(session, {line.product_id for line in lines})
    contents = [
        Contents(
            order_line_id=line.id,
            quantity=line.unshipped_quantity,
            sku=line.sku,
            title=line.title,
            value_minor=orders.price_of_units(
                order, line, line.cancelled_quantity + line.shipped_quantity, line.unshipped_quantity
            ),
            hsn_code=products[line.product_id].hsn_code,
        )
        for line in lines
    ]
    weight = sum(stage.shelf.weights[line.sku] * line.unshipped_quantity for line in lines) + 80
    parcel = NewParcel(
        order_id=order.id,
        customer_id=order.customer_id,
        ship_to=order.ship_to,
        email=order.email,
        currency=order.currency,
        contents=contents,
        weight_grams=weight,
        box=_box_for(weight),
        cod=order.payment_mode is PaymentMode.ON_DELIVERY and order.paid_at is None,
        charges_minor=order.shipping_minor if is_first else 0,
    )
    stage.counts["parcels"] += 1
    carrier = carriage.carrier_for(stage, order.ship_to["postal_code"])
    return shipping.create_parcel(session, parcel=parcel, carrier=carrier, now=stage.now)


def _box_for(weight_grams: int) -> Box:
    """The smallest of the shop's boxes that such a weight goes into."""
    size = sum(weight_grams > limit for limit in (500, 1_500, 4_000))
    return Box(*_BOX_MM[size])
