"""Operations' figures: what waits now, how parcels travelled in a period, what the shelf and the suppliers owe."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from dashboards.lib.filters import Grain, Period
from dashboards.lib.session import Snapshot

MARTS = (
    "order_ageing",
    "open_shipments",
    "fct_shipments",
    "courier_performance",
    "inventory_health",
    "stock_positions",
    "fct_purchase_order_lines",
    "fct_payment_differences",
)
"""What the page reads; snapshots of an older house lack them."""

ALL_COURIERS = "All couriers"

_NOW = """
SELECT (SELECT sum(orders) FROM order_ageing)::BIGINT AS open_orders,
       (SELECT max(oldest_hours) FROM order_ageing WHERE status NOT LIKE 'awaiting%') AS oldest_hours,
       (SELECT count(*) FROM open_shipments WHERE is_late)::BIGINT AS late_parcels,
       (SELECT count(*) FROM open_shipments)::BIGINT AS open_parcels,
       (SELECT count(*) FROM inventory_health WHERE variants_out_of_stock > 0)::BIGINT AS products_out,
       (SELECT count(*) FROM inventory_health WHERE variants_low > 0)::BIGINT AS products_low,
       (SELECT count(DISTINCT purchase_order_id) FROM fct_purchase_order_lines WHERE outstanding_quantity > 0)::BIGINT
           AS open_purchases,
       (SELECT count(DISTINCT purchase_order_id) FROM fct_purchase_order_lines WHERE is_overdue)::BIGINT
           AS overdue_purchases
"""
_AGEING = """
SELECT replace(status, '_', ' ') AS status, age_bucket, orders, amount, round(oldest_hours / 24, 1) AS oldest_days,
       status_order, bucket_order
FROM order_ageing
WHERE orders > 0
ORDER BY status_order, bucket_order
"""
_PARCELS = """
SELECT count(*)::BIGINT AS parcels,
       count(*) FILTER (is_late IS NOT NULL)::BIGINT AS promised,
       count(*) FILTER (is_late)::BIGINT AS late,
       count(*) FILTER (is_rto)::BIGINT AS rto,
       count(*) FILTER (is_rto OR status IN ('delivered', 'lost', 'damaged'))::BIGINT AS decided,
       median(hours_to_deliver) / 24 AS median_days
FROM fct_shipments
WHERE kind = 'forward' AND shipped_day BETWEEN ? AND ? AND (? = '' OR courier = ?)
"""
_PARCELS_OVER_TIME = """
SELECT CAST(date_trunc('{grain}', shipped_day) AS DATE) AS period,
       count(*)::BIGINT AS parcels,
       count(*) FILTER (is_late)::BIGINT AS late,
       count(*) FILTER (is_late IS NOT NULL)::BIGINT AS promised,
       count(*) FILTER (is_rto)::BIGINT AS rto,
       count(*) FILTER (is_rto OR status IN ('delivered', 'lost', 'damaged'))::BIGINT AS decided,
       round(count(*) FILTER (is_late) / nullif(count(*) FILTER (is_late IS NOT NULL), 0), 4) AS late_rate,
       round(
           count(*) FILTER (is_rto)
           / nullif(count(*) FILTER (is_rto OR status IN ('delivered', 'lost', 'damaged')), 0), 4
       ) AS rto_rate
FROM fct_shipments
WHERE kind = 'forward' AND shipped_day BETWEEN ? AND ? AND (? = '' OR courier = ?)
GROUP BY 1
ORDER BY 1
"""
_COURIERS = """
SELECT courier,
       sum(parcels)::BIGINT AS parcels,
       sum(delivered)::BIGINT AS delivered,
       sum(late)::BIGINT AS late,
       sum(rto)::BIGINT AS rto,
       sum(lost_or_damaged)::BIGINT AS lost_or_damaged,
       round(sum(late) / nullif(sum(promised), 0), 4) AS late_rate,
       round(sum(rto) / nullif(sum(decided), 0), 4) AS rto_rate,
       round(sum(median_hours_to_deliver * delivered) / nullif(sum(delivered), 0) / 24, 2) AS days_to_door,
       sum(quoted_amount)::DECIMAL(18, 2) AS quoted_amount,
       sum(predicted_cost_amount)::DECIMAL(18, 2) AS predicted_cost_amount,
       sum(cost_amount)::DECIMAL(18, 2) AS cost_amount
FROM courier_performance
WHERE month_start BETWEEN date_trunc('month', CAST(? AS DATE)) AND ?
GROUP BY 1
ORDER BY parcels DESC, courier
"""
_LATE = """
SELECT order_number, courier, tracking_number, status, problem, zone, round(days_late, 1) AS days_late,
       round(age_days, 1) AS age_days, expected_delivery_at, shipped_at
FROM open_shipments
WHERE is_late OR problem IS NOT NULL
ORDER BY days_late DESC NULLS LAST, shipment_id
LIMIT 500
"""
_STOCK = """
SELECT sku, name, on_hand, reserved, available, on_order, round(daily_demand, 3) AS daily_demand,
       round(days_of_cover, 1) AS days_of_cover, reorder_point, suggested_order,
       round(stock_out_risk, 4) AS stock_out_risk, variants_out_of_stock, variants_low
FROM inventory_health
WHERE is_stocked
      AND (variants_out_of_stock > 0 OR variants_low > 0 OR suggested_order > 0 OR stock_out_risk > 0.05)
ORDER BY stock_out_risk DESC, days_of_cover NULLS LAST, product_id
LIMIT 500
"""
_SUGGESTED = """
SELECT sku, supplier_name, supplier_sku, available, on_order, round(lead_time_demand, 1) AS lead_time_demand,
       round(safety_stock, 1) AS safety_stock, reorder_point, suggested_order, pack_size, minimum_quantity,
       lead_time_days, cost_amount
FROM stock_positions
WHERE suggested_order > 0
ORDER BY stock_out_risk DESC, sku, location_id
LIMIT 500
"""
_PROCUREMENT = """
SELECT supplier_name AS supplier,
       CASE WHEN is_overdue THEN 'overdue' ELSE 'expected' END AS state,
       count(DISTINCT purchase_order_id)::BIGINT AS purchase_orders,
       sum(outstanding_quantity)::BIGINT AS outstanding_units
FROM fct_purchase_order_lines
WHERE outstanding_quantity > 0
GROUP BY 1, 2
ORDER BY sum(sum(outstanding_quantity)) OVER (PARTITION BY supplier_name) DESC, 1, 2
"""
_PURCHASE_LINES = """
SELECT purchase_number, supplier_name, sku, supplier_sku, status, quantity, received_quantity, damaged_quantity,
       outstanding_quantity, outstanding_amount, currency, placed_at, expected_at,
       round(days_overdue, 1) AS days_overdue
FROM fct_purchase_order_lines
WHERE outstanding_quantity > 0
ORDER BY days_overdue DESC NULLS LAST, expected_at, purchase_order_line_id
LIMIT 500
"""
_DIFFERENCES = """
SELECT gateway, figure, reference, order_id, ours_amount, theirs_amount, difference_amount, currency, is_open,
       found_at, resolved_at
FROM fct_payment_differences
ORDER BY is_open DESC, found_at DESC, difference_id
LIMIT 500
"""


@dataclass(frozen=True, slots=True)
class Now:
    """What waits at the moment that the figures speak for; counts."""

    open_orders: int
    oldest_hours: float | None
    late_parcels: int
    open_parcels: int
    products_out: int
    products_low: int
    open_purchases: int
    overdue_purchases: int


@dataclass(frozen=True, slots=True)
class Parcels:
    """Parcels to customers that were handed over in a period."""

    parcels: int
    promised: int
    late: int
    rto: int
    decided: int
    median_days: float | None

    @property
    def late_rate(self) -> float | None:
        """Late ones of those that arrived and had a promised time."""
        return self.late / self.promised if self.promised else None

    @property
    def rto_rate(self) -> float | None:
        """Those that turned back, of those whose journey is decided."""
        return self.rto / self.decided if self.decided else None


def now(snapshot: Snapshot) -> Now:
    """The counts of this moment."""
    return Now(**snapshot.query(_NOW).row(0, named=True))


def ageing(snapshot: Snapshot) -> pl.DataFrame:
    """One row a status and age with orders in it."""
    return snapshot.query(_AGEING)


def couriers(snapshot: Snapshot) -> list[str]:
    """Every courier that ever took a parcel, in alphabetical order."""
    return snapshot.query("SELECT DISTINCT courier FROM courier_performance ORDER BY 1").get_column("courier").to_list()


def parcels(snapshot: Snapshot, period: Period, courier: str) -> Parcels:
    """Figures of a period, of one courier or of all (`ALL_COURIERS`)."""
    return Parcels(**snapshot.query(_PARCELS, *_selection(period, courier)).row(0, named=True))


def parcels_over_time(snapshot: Snapshot, period: Period, grain: Grain, courier: str) -> pl.DataFrame:
    """One row a period of the grain, by the day of the hand-over."""
    return snapshot.query(_PARCELS_OVER_TIME.format(grain=grain), *_selection(period, courier))


def courier_performance(snapshot: Snapshot, period: Period) -> pl.DataFrame:
    """One row a courier, over the whole months that the period touches."""
    return snapshot.query(_COURIERS, period.start, period.end)


def late_parcels(snapshot: Snapshot) -> pl.DataFrame:
    """Parcels on the road that are late or complain of something, the latest first."""
    return snapshot.query(_LATE)


def stock(snapshot: Snapshot) -> pl.DataFrame:
    """Products that are out, low, to be ordered or at risk, the most endangered first."""
    return snapshot.query(_STOCK)


def suggested_orders(snapshot: Snapshot) -> pl.DataFrame:
    """What the reorder formula asks for, with its inputs."""
    return snapshot.query(_SUGGESTED)


def procurement(snapshot: Snapshot) -> pl.DataFrame:
    """Units to come by supplier, overdue or not, the largest supplier first."""
    return snapshot.query(_PROCUREMENT)


def purchase_lines(snapshot: Snapshot) -> pl.DataFrame:
    """Lines with units to come, the most overdue first."""
    return snapshot.query(_PURCHASE_LINES)


def payment_differences(snapshot: Snapshot) -> pl.DataFrame:
    """Figures that the gateway saw differently, unexplained ones first."""
    return snapshot.query(_DIFFERENCES)


def _selection(period: Period, courier: str) -> tuple[date, date, str, str]:
    chosen = "" if courier == ALL_COURIERS else courier
    return period.start, period.end, chosen, chosen
