"""Drafting a change set: what shall go, what shall come at which price frozen now, and the difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.catalog import service as catalog
from transactional.core.errors import Conflict, InvalidInput
from transactional.core.ids import public_id
from transactional.core.money import contained_tax, unit_share
from transactional.orders.approvals import needs_approval
from transactional.orders.change_models import ChangeKind, ChangeStatus, OrderChange, OrderChangeLine
from transactional.orders.giving_back import quote_refund
from transactional.orders.models import Order, OrderLine, OrderUnitMove
from transactional.orders.parcels import refuse_boxed
from transactional.orders.queries import lines_of
from transactional.orders.redirecting import shipping_difference
from transactional.orders.units import price_of_units

ADD, REMOVE = "add", "remove"

_REQUIRED_ADDRESS = ("recipient", "line1", "city", "postal_code", "country")


@dataclass(frozen=True, slots=True)
class AddedUnits:
    """Units of a variant that shall join an order."""

    variant_id: int
    quantity: int
    customisation: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WantedChange:
    """What shall be different: units removed (order line → quantity), units added, another address."""

    remove: Mapping[int, int] = field(default_factory=dict)
    add: Sequence[AddedUnits] = ()
    ship_to: Mapping[str, Any] | None = None


def open_change(
    session: Session,
    order: Order,
    kind: ChangeKind,
    *,
    actor: str,
    reason: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> OrderChange:
    """An empty change set of a locked order. Raises Conflict while another one is open."""
    change = OrderChange(
        public_id=public_id("chg"),
        order_id=order.id,
        kind=kind,
        status=ChangeStatus.DRAFT,
        reason=reason[:200],
        currency=order.currency,
        added_minor=0,
        given_up_minor=0,
        difference_minor=0,
        created_by=actor,
        created_at=now,
        expires_at=expires_at,
    )
    try:
        with session.begin_nested():
            session.add(change)
    except IntegrityError as error:
        raise Conflict(f"order {order.order_number} has an open change: apply or decline it first") from error
    return change


def price_change(session: Session, order: Order, change: OrderChange, wanted: WantedChange, *, now: datetime) -> None:
    """Write a draft's lines with the prices that count from now on, and its difference.

    Raises InvalidInput for a change that changes nothing, leaves nothing of the order (that is a cancellation), names
    another order's line, an incomplete address or a place that nobody serves, and Conflict for more units than can go
    or goods that are not sold.
    """
    lines = lines_of(session, order.id)
    _check(session, order, lines, wanted)
    added = added_lines(session, order, change, wanted.add, now)
    session.add_all(_removed_lines(order, change, lines, wanted.remove))
    session.add_all(added)
    gross = sum(line.gross_minor for line in added)
    given_up = quote_refund(session, order, lines, wanted.remove, added_gross_minor=gross) if wanted.remove else 0
    moved = 0
    if wanted.ship_to is not None:
        moved = shipping_difference(session, order, lines, wanted.ship_to, remove=wanted.remove, added=added)
        change.ship_to, change.ship_to_before = _moved(order, wanted.ship_to), order.ship_to
    change.shipping_minor = moved
    change.added_minor = sum(line.net_minor for line in added) + max(0, moved)
    change.given_up_minor = given_up + max(0, -moved)
    change.difference_minor = change.added_minor - change.given_up_minor
    session.flush()


def _moved(order: Order, ship_to: Mapping[str, Any]) -> dict[str, Any]:
    """The new address. A business's tax number is no part of a place: it goes along, unless another one is given."""
    known = order.ship_to.get("gstin")
    return {**({"gstin": known} if known else {}), **ship_to}


def removed_lines(
    order: Order, change: OrderChange, lines: Sequence[OrderLine], moves: Sequence[OrderUnitMove]
) -> list[OrderChangeLine]:
    """The change lines of units that have just been called off."""
    by_id = {line.id: line for line in lines}
    return [_removed(order, change, by_id[move.order_line_id], move.first_unit or 0, move.quantity) for move in moves]


def _check(session: Session, order: Order, lines: Sequence[OrderLine], wanted: WantedChange) -> None:
    if not wanted.remove and not wanted.add and wanted.ship_to is None:
        raise InvalidInput("a change adds or removes units or changes the address")
    if not order.tax_included:
        raise Conflict(f"order {order.order_number} was taken in from another system and cannot be changed here")
    if wanted.ship_to is not None:
        missing = [name for name in _REQUIRED_ADDRESS if not str(wanted.ship_to.get(name) or "").strip()]
        if missing:
            raise InvalidInput(f"the address lacks {', '.join(missing)}", field=f"ship_to.{missing[0]}")
    left = {line.id: line.unshipped_quantity for line in lines}
    for line_id, quantity in wanted.remove.items():
        if line_id not in left:
            raise InvalidInput(f"line {line_id} does not belong to this order", field="remove")
        if quantity < 1:
            raise InvalidInput(f"at least one unit of line {line_id} is removed, not {quantity}", field="remove")
        if quantity > left[line_id]:
            raise Conflict(
                f"{left[line_id]} units of line {line_id} can be removed, not {quantity}", left=left[line_id]
            )
    refuse_boxed(session, order, lines, wanted.remove)
    if not wanted.add and sum(left.values()) == sum(wanted.remove.values()):
        raise InvalidInput("nothing would be left: call the order off instead", field="remove")


def added_lines(
    session: Session, order: Order, change: OrderChange, added: Sequence[AddedUnits], now: datetime
) -> list[OrderChangeLine]:
    """Units that shall come, at today's prices. Raises Conflict for what is not sold, InvalidInput for no units."""
    sold = catalog.buyable_variants(
        session,
        [units.variant_id for units in added],
        currency=order.currency,
        channel=order.channel,
        now=now,
    )
    lines = []
    for units in added:
        variant = sold.get(units.variant_id)
        if variant is None:
            raise Conflict(f"variant {units.variant_id} is not for sale", variant_id=units.variant_id)
        if units.quantity < 1:
            raise InvalidInput(f"at least one unit of {variant.sku} is added, not {units.quantity}", field="add")
        gross = variant.price_minor * units.quantity
        lines.append(
            OrderChangeLine(
                change_id=change.id,
                action=ADD,
                variant_id=variant.variant_id,
                product_id=variant.product_id,
                sku=variant.sku,
                title=variant.title[:200],
                quantity=units.quantity,
                unit_price_minor=variant.price_minor,
                gross_minor=gross,
                line_discount_minor=0,
                tax_minor=contained_tax(gross, variant.tax_rate_bp),
                net_minor=gross,
                customisation=_ready_to_make(variant, units.customisation),
            )
        )
    return lines


def _ready_to_make(variant: catalog.SellableVariant, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """A customisation that may join an order as it is: nobody would ask about its design there."""
    customisation = catalog.checked_customisation(variant, chosen)
    if needs_approval([customisation]):
        raise Conflict(
            f"{variant.sku} is made only after its design was approved: place an order of its own for it",
            variant_id=variant.variant_id,
        )
    return customisation


def _removed_lines(
    order: Order, change: OrderChange, lines: Sequence[OrderLine], remove: Mapping[int, int]
) -> list[OrderChangeLine]:
    return [
        _removed(order, change, line, line.given_back_quantity, remove[line.id]) for line in lines if line.id in remove
    ]


def _removed(order: Order, change: OrderChange, line: OrderLine, first: int, quantity: int) -> OrderChangeLine:
    net = price_of_units(order, line, first, quantity)
    gross = line.unit_price_minor * quantity
    return OrderChangeLine(
        change_id=change.id,
        action=REMOVE,
        order_line_id=line.id,
        variant_id=line.variant_id,
        product_id=line.product_id,
        sku=line.sku,
        title=line.title,
        quantity=quantity,
        unit_price_minor=line.unit_price_minor,
        gross_minor=gross,
        line_discount_minor=gross - net,
        tax_minor=unit_tax(line, first, quantity),
        net_minor=net,
        customisation=line.customisation,
    )


def unit_tax(line: OrderLine, first: int, quantity: int) -> int:
    """The frozen tax of units `first` … `first + quantity - 1` of a line."""
    return unit_share(line.tax_minor, line.quantity, first, quantity)
