"""Who the simulated shop buys from: suppliers and their terms, weekly orders, deliveries late, short or broken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random

from sqlalchemy.orm import Session

from transactional.inventory import service as inventory
from transactional.inventory.service import LevelRules, ReorderPolicy
from transactional.simulation.gifts import GIFTS, HAMPERS, Gift
from transactional.simulation.stage import Stage
from transactional.suppliers import service as suppliers
from transactional.suppliers.service import Arrived, PurchaseOrderLine, PurchaseStatus, SupplierProduct

BUYER = "buyer"
_LATE = 0.15
_SHORT = 0.18
_DAMAGED = 0.10
_REST_NEVER_COMES = 0.3
_PRICE_RISES = 0.12
_SERVICE_LEVEL_BP = 9_500
_BY_FORECAST = frozenset({"Sweets and hampers", "Flowers and plants", "Mugs and drinkware"})
"""What spoils or breaks is bought by forecast, the rest up to a fixed point."""


@dataclass(frozen=True, slots=True)
class House:
    """A supplier: what it makes, in how many days, in which packs, at which share of the shop's price."""

    code: str
    name: str
    categories: tuple[str, ...]
    lead_time_days: int
    pack_size: int
    minimum: int
    cost_percent: int


HOUSES = (
    House("PRINTWALA", "Printwala Studio", ("Photo gifts", "Stationery"), 6, 2, 8, 45),
    House("KHURJA", "Khurja Potters", ("Mugs and drinkware", "Home decoration"), 14, 2, 8, 48),
    House("ZAVERI", "Zaveri Silver Works", ("Jewellery",), 12, 1, 3, 58),
    House("MOGRA", "Mogra Candle Company", ("Candles and fragrance", "Wellness"), 9, 4, 8, 42),
    House("MITHAI", "Annapurna Mithai", ("Sweets and hampers",), 4, 2, 12, 55),
    House("NURSERY", "Lalbagh Nursery", ("Flowers and plants",), 5, 1, 6, 50),
    House("KATHPUTLI", "Kathputli Crafts", ("Toys and children", "Rakhi", "Diwali", "Christmas"), 16, 2, 10, 46),
    House("BAZAAR", "Chandni Bazaar Traders", (), 21, 4, 8, 52),
)
"""Whoever names no categories sells all the rest."""


def sign_contracts(
    session: Session, *, variants: dict[str, int], location_id: int, currency: str, rng: Random, now: datetime
) -> None:
    """Suppliers, what they sell at which terms, and how each level is to be watched and refilled."""
    houses = {
        house.code: suppliers.create_supplier(
            session,
            code=house.code,
            name=house.name,
            email=f"orders@{house.code.lower()}.example",
            over_delivery_bp=500,
            now=now,
        ).id
        for house in HOUSES
    }
    for gift in GIFTS:
        if gift.sku in HAMPERS:
            continue
        house = _house_of(gift)
        suppliers.add_product(
            session,
            supplier_id=houses[house.code],
            supplier_sku=f"{house.code[:3]}-{gift.sku}",
            variant_id=variants[gift.sku],
            pack_size=house.pack_size,
            minimum_quantity=house.minimum,
            cost_minor=gift.price * house.cost_percent,
            currency=currency,
            lead_time_days=max(1, house.lead_time_days + rng.randint(-2, 3)),
            is_preferred=True,
            now=now,
        )
        inventory.set_rules(
            session, variant_id=variants[gift.sku], location_id=location_id, now=now, **_rules(gift, rng)
        )


def _rules(gift: Gift, rng: Random) -> LevelRules:
    """How a gift's level is watched and refilled: by forecast, up to a fixed point, or hardly at all."""
    rules = LevelRules(service_level_bp=_SERVICE_LEVEL_BP, reorder_policy=ReorderPolicy.FIXED)
    if gift.made_to_order:
        return {**rules, "low_stock_level": 1, "reorder_point": 1, "backorder_limit": 4}
    if gift.category in _BY_FORECAST:
        return {**rules, "low_stock_level": 3, "reorder_policy": ReorderPolicy.FORECAST}
    return {**rules, "low_stock_level": rng.randint(4, 6), "reorder_point": 8}


def monday(stage: Stage) -> None:
    """Look through what runs low, have the orders drawn up, and send them tomorrow."""
    if stage.now.month in (1, 7) and stage.now.day <= 7:
        stage.work(BUYER, lambda session: _new_price_lists(session, stage))
    stage.work("worker", lambda session: _note_backorders(session, stage.now))
    for supplier_id in stage.look(lambda session: _in_demand(session, stage.now)):
        drafted = stage.work(
            "worker",
            partial(suppliers.draw_up_orders, supplier_id=supplier_id, now=stage.now),
        )
        if drafted.written:
            stage.later(stage.after(8, 30), partial(_place_drafts, stage, supplier_id))


def _note_backorders(session: Session, now: datetime) -> None:
    """What confirmed orders wait for, linked with what is on its way."""
    suppliers.record_backorders(session, now=now)
    suppliers.cover_open(session)


def _in_demand(session: Session, now: datetime) -> list[int]:
    """Suppliers of goods that run low and are not on their way, in id order."""
    low = {alert.variant_id for alert in inventory.alerts(session, limit=len(GIFTS))}
    coming = {variant for (variant, _), units in suppliers.on_order(session, low, at=now).items() if units}
    if low <= coming:
        return []
    return sorted(
        supplier.id
        for supplier in suppliers.suppliers(session)
        if (low - coming) & {product.variant_id for product in _articles(session, supplier.id)}
    )


def _articles(session: Session, supplier_id: int) -> Sequence[SupplierProduct]:
    return suppliers.products_of(session, supplier_id, limit=len(GIFTS))


def _place_drafts(stage: Stage, supplier_id: int) -> None:
    """Staff send what was drawn up; the supplier's lorry comes when it comes."""

    def job(session: Session) -> list[tuple[int, datetime]]:
        drafts = suppliers.orders(session, supplier_id=supplier_id, status=PurchaseStatus.DRAFT)
        placed = [suppliers.place(session, purchase_order_id=draft.id, now=stage.now) for draft in drafts]
        return [(order.id, order.expected_at or stage.now) for order in placed]

    for purchase_id, expected in stage.work(BUYER, job):
        stage.counts["purchase orders"] += 1
        late = stage.after(72, 400) if stage.chance(_LATE) else stage.after(-36, 12)
        arrives = max(stage.now + timedelta(days=1), expected + late)
        stage.later(arrives - stage.now, partial(_receive, stage, purchase_id, number=1))


def _receive(stage: Stage, purchase_id: int, *, number: int) -> None:
    """Unload a delivery; a short first one is followed by a second, or by nothing any more."""

    def job(session: Session) -> int:
        lines = suppliers.lines_of(session, purchase_id)
        arrived = [_arrived(stage, line, is_last=number > 1) for line in lines if _open_units(line)]
        suppliers.receive_delivery(
            session,
            purchase_order_id=purchase_id,
            arrived=[part for part in arrived if part.quantity or part.damaged],
            key=f"note-{number}",
            delivery_note=f"DN-{purchase_id:05d}-{number}",
            actor="storekeeper",
            now=stage.now,
        )
        return sum(_open_units(line) for line in suppliers.lines_of(session, purchase_id))

    missing = stage.work("storekeeper", job)
    stage.counts["supplier deliveries"] += 1
    if missing and stage.chance(_REST_NEVER_COMES):
        stage.later(
            stage.after(24, 200),
            lambda: stage.work(
                BUYER,
                lambda session: suppliers.close(
                    session, purchase_order_id=purchase_id, reason="the rest will not come", now=stage.now
                ),
            ),
        )
    elif missing:
        stage.later(stage.after(72, 300), lambda: _receive(stage, purchase_id, number=number + 1))


def _arrived(stage: Stage, line: PurchaseOrderLine, *, is_last: bool) -> Arrived:
    """How much of a line the lorry brings, and how much of that is broken."""
    units = _open_units(line)
    if not is_last and units > 1 and stage.chance(_SHORT):
        units = stage.rng.randint(units // 2, units - 1)
    damaged = min(units - 1, stage.rng.randint(1, 2)) if units > 1 and stage.chance(_DAMAGED) else 0
    return Arrived(line_id=line.id, quantity=units - damaged, damaged=damaged)


def _open_units(line: PurchaseOrderLine) -> int:
    return line.quantity - line.received_quantity - line.damaged_quantity - line.short_quantity


def _new_price_lists(session: Session, stage: Stage) -> None:
    """Twice a year some suppliers ask for more; orders that were placed keep their price."""
    for supplier in suppliers.suppliers(session):
        if not stage.chance(_PRICE_RISES):
            continue
        percent = stage.rng.randint(103, 108)
        for product in _articles(session, supplier.id):
            suppliers.update_product(
                session, supplier_product_id=product.id, cost_minor=product.cost_minor * percent // 100
            )


def _house_of(gift: Gift) -> House:
    return next((house for house in HOUSES if gift.category in house.categories), HOUSES[-1])
