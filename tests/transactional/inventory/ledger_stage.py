"""The shop in which the stock ledger is proved: goods, a box of them, two places, orders that hold nothing yet."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from transactional.catalog.service import InventoryPolicy
from transactional.inventory import service

ORDERS = 3
LOW_MARK = 3
BACKORDER_LIMIT = 4
BOX = {"CUP": 2, "CARD": 1}
"""What a box is made of."""
OPENING = {"CUP": (6, 3), "LAMP": (3, 4), "CARD": (1, 2)}
"""Units of each good at the two places."""


@dataclass(frozen=True)
class Stage:
    """A shop with goods, two locations and orders that hold nothing of them; copied for every run."""

    file: Path
    variants: dict[str, int]
    places: tuple[int, int]
    """In the order in which they serve."""
    orders: tuple[tuple[int, int], ...]
    """(order, one of its lines)."""


def build_stage(kit: TradeKit, file: Path) -> Stage:
    ticket = kit.variant("TICKET", policy=InventoryPolicy.UNTRACKED)
    variants = {
        "CUP": kit.variant("CUP"),
        "LAMP": kit.variant("LAMP"),
        "CARD": kit.variant("CARD", policy=InventoryPolicy.BACKORDER),
        "BOX": kit.variant("BOX"),
    }
    orders = tuple((order, kit.lines(order)[0].id) for order in (kit.buy({ticket: 1}) for _ in range(ORDERS)))

    def lay_out(session: Session) -> tuple[int, int]:
        main = service.default_location(session)
        back = service.create_location(session, code="BACK", name="Back room", priority=10)
        service.set_components(
            session,
            bundle_variant_id=variants["BOX"],
            components={variants[name]: units for name, units in BOX.items()},
        )
        for place in (back.id, main.id):
            for name, units in OPENING.items():
                service.receive(
                    session,
                    variant_id=variants[name],
                    location_id=place,
                    quantity=units[place == main.id],
                    reason="opening",
                    now=kit.now,
                )
            for name in ("CUP", "LAMP"):
                mark = LOW_MARK if name == "LAMP" else 0
                service.set_rules(
                    session, variant_id=variants[name], location_id=place, now=kit.now, low_stock_level=mark
                )
            service.set_rules(
                session, variant_id=variants["CARD"], location_id=place, now=kit.now, backorder_limit=BACKORDER_LIMIT
            )
        return back.id, main.id

    places = kit.run(lay_out)
    kit.database.engine.dispose()
    return Stage(file, variants, places, orders)
