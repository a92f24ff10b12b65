"""The shelf: receipts, adjustments, holds for orders, and the ledger that proves every level.

For every stock level `on_hand` = Σ movements and `reserved` = Σ live holds. Levels change only by conditional writes;
rows are taken in one order (`inventory.levels`), so that two orders for the same goods never wait for each other in a
ring.

How far a level may be promised is the variant's policy: `deny` keeps `on_hand − reserved − threshold` at zero or above;
`backorder` goes below by the level's back-order limit or negative threshold, without limit where there is neither;
`untracked` knows no limit; a `bundle` has no level of its own, its parts are held and sold.
"""

from transactional.inventory.alerts import LOW_STOCK, alerts, refresh
from transactional.inventory.bundles import bundle, check_stocked, components_of, set_components
from transactional.inventory.history import (
    Backorder,
    Position,
    backordered,
    daily_sales,
    first_movements,
    holds,
    movements,
    position_at,
)
from transactional.inventory.holding import (
    confirm_holds,
    extend_holds,
    fulfil_holds,
    fulfil_units,
    hold,
    release_holds,
    release_units,
    saleable,
)
from transactional.inventory.levels import discrepancies, levels, reorder_levels
from transactional.inventory.locations import (
    create_location,
    default_location,
    get_location,
    locations,
    update_location,
)
from transactional.inventory.locking import lock_levels
from transactional.inventory.models import (
    HoldState,
    Location,
    MovementKind,
    ReorderPolicy,
    StockAlert,
    StockHold,
    StockLevel,
    StockMovement,
    StockTransfer,
)
from transactional.inventory.rules import LevelRules, set_rules
from transactional.inventory.shelf import SoldLine, adjust, count, receive, restock, take_back, transfer

__all__ = [
    "LOW_STOCK",
    "Backorder",
    "HoldState",
    "LevelRules",
    "Location",
    "MovementKind",
    "Position",
    "ReorderPolicy",
    "SoldLine",
    "StockAlert",
    "StockHold",
    "StockLevel",
    "StockMovement",
    "StockTransfer",
    "adjust",
    "alerts",
    "backordered",
    "bundle",
    "check_stocked",
    "components_of",
    "confirm_holds",
    "count",
    "create_location",
    "daily_sales",
    "default_location",
    "discrepancies",
    "extend_holds",
    "first_movements",
    "fulfil_holds",
    "fulfil_units",
    "get_location",
    "hold",
    "holds",
    "levels",
    "locations",
    "lock_levels",
    "movements",
    "position_at",
    "receive",
    "refresh",
    "release_holds",
    "release_units",
    "reorder_levels",
    "restock",
    "saleable",
    "set_components",
    "set_rules",
    "take_back",
    "transfer",
    "update_location",
]
