"""The life of an order: what other domains may ask of it.

Every function that changes an order locks its row first and then stock, coupon and points, in that order: no two of
them wait for each other in a ring. Repeating a step that was done either changes nothing or is refused by the
transition table. Each idea has a module of its own; this one is their front door.
"""

from transactional.orders.approvals import (
    approvals_of,
    content_sha256,
    live_approval,
    needs_approval,
    order_needs_approval,
    void,
)
from transactional.orders.approving import ContentChanged, approve
from transactional.orders.cancellation import cancel, cancel_units
from transactional.orders.change_drafts import AddedUnits, WantedChange
from transactional.orders.change_models import ChangeKind, ChangeStatus, OrderChange, OrderChangeLine
from transactional.orders.changes import (
    ORDER_CHANGED,
    apply_change,
    change_lines_of,
    changes_of,
    decline_change,
    draft_change,
    expire_changes,
    find_change,
    open_change_of,
)
from transactional.orders.exchanges import draft_exchange, drop_exchange, lock_exchanged, send_again, settle_exchange
from transactional.orders.giving_back import REFUND_DUE, GivenBack, decisions_of, given_back_minor, settle_given
from transactional.orders.models import (
    Order,
    OrderApproval,
    OrderLine,
    OrderRefundDecision,
    OrderStatus,
    OrderStatusChange,
    OrderUnitMove,
    PaymentMode,
    UnitMove,
)
from transactional.orders.parcels import (
    COLLECTED,
    deliver,
    pack,
    parcel_came_back,
    parcel_delivered,
    ship,
    ship_parcel,
)
from transactional.orders.payment import PaidOutcome, amount_due, expire_unpaid, mark_paid, take_payment
from transactional.orders.placement import NewLine, NewOrder, financial_year, write_order
from transactional.orders.queries import (
    find_order,
    get_line,
    get_order,
    get_visible_order,
    has_ordered,
    lines_by_order,
    lines_of,
    lock_order,
    order_by_reference,
    order_of_cart,
    page_of_orders,
    placed_between,
    status_history,
)
from transactional.orders.returning import ReturnedUnits, register_return, take_back
from transactional.orders.sold import Bought, Sold, purchases_of, sold_products
from transactional.orders.stages import Stage
from transactional.orders.transitions import STATUS_CHANGED, TRANSITIONS, allowed, next_steps, transition
from transactional.orders.units import moves_of, price_of_units, return_window_opens

__all__ = [
    "COLLECTED",
    "ORDER_CHANGED",
    "REFUND_DUE",
    "STATUS_CHANGED",
    "TRANSITIONS",
    "AddedUnits",
    "Bought",
    "ChangeKind",
    "ChangeStatus",
    "ContentChanged",
    "GivenBack",
    "NewLine",
    "NewOrder",
    "Order",
    "OrderApproval",
    "OrderChange",
    "OrderChangeLine",
    "OrderLine",
    "OrderRefundDecision",
    "OrderStatus",
    "OrderStatusChange",
    "OrderUnitMove",
    "PaidOutcome",
    "PaymentMode",
    "ReturnedUnits",
    "Sold",
    "Stage",
    "UnitMove",
    "WantedChange",
    "allowed",
    "amount_due",
    "apply_change",
    "approvals_of",
    "approve",
    "cancel",
    "cancel_units",
    "change_lines_of",
    "changes_of",
    "content_sha256",
    "decisions_of",
    "decline_change",
    "deliver",
    "draft_change",
    "draft_exchange",
    "drop_exchange",
    "expire_changes",
    "expire_unpaid",
    "financial_year",
    "find_change",
    "find_order",
    "get_line",
    "get_order",
    "get_visible_order",
    "given_back_minor",
    "has_ordered",
    "lines_by_order",
    "lines_of",
    "live_approval",
    "lock_exchanged",
    "lock_order",
    "mark_paid",
    "moves_of",
    "needs_approval",
    "next_steps",
    "open_change_of",
    "order_by_reference",
    "order_needs_approval",
    "order_of_cart",
    "pack",
    "page_of_orders",
    "parcel_came_back",
    "parcel_delivered",
    "placed_between",
    "price_of_units",
    "purchases_of",
    "register_return",
    "return_window_opens",
    "send_again",
    "settle_exchange",
    "settle_given",
    "ship",
    "ship_parcel",
    "sold_products",
    "status_history",
    "take_back",
    "take_payment",
    "transition",
    "void",
    "write_order",
]
