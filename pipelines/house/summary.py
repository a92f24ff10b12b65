"""What the demo shows at its end, and keeps as JSON: the ring's answers in a handful of tables."""

import json
from collections.abc import Sequence
from typing import Any

from pipelines.house.processes import run_step

Row = dict[str, Any]

_MEASURES = {"value", "low", "high"}
_NAMES = {"customer_id", "version"}

QUERIES: dict[str, str] = {
    "shop": "SELECT name, base_currency, time_zone FROM marts.dim_shop",
    "months": (
        "SELECT strftime(CAST(period_start AS DATE), '%Y-%m') AS month, orders, customers, units, gross_merchandise,"
        " discounts, returned_amount, net_merchandise FROM marts.sales_by_period"
        " WHERE period_grain = 'month' ORDER BY period_start"
    ),
    "totals": (
        "SELECT sum(orders) AS orders, sum(units) AS units,"
        " CAST(sum(gross_merchandise) AS DECIMAL(18, 2)) AS gross_merchandise,"
        " CAST(sum(discounts) AS DECIMAL(18, 2)) AS discounts,"
        " CAST(sum(returned_amount) AS DECIMAL(18, 2)) AS returned_amount,"
        " CAST(sum(net_merchandise) AS DECIMAL(18, 2)) AS net_merchandise,"
        " CAST(sum(shipping_charged) AS DECIMAL(18, 2)) AS shipping_charged"
        " FROM marts.sales_by_period WHERE period_grain = 'month'"
    ),
    "rfm_groups": (
        "SELECT rfm_segment, count(*) AS customers, CAST(sum(monetary) AS DECIMAL(18, 2)) AS monetary"
        " FROM marts.customer_rfm GROUP BY 1 ORDER BY customers DESC, 1"
    ),
    "top_customers": (
        "SELECT customer_id, orders, historic_value, expected_orders_365d, predicted_value_365d"
        " FROM marts.customer_lifetime_value WHERE predicted_value_365d IS NOT NULL"
        " ORDER BY predicted_value_365d DESC, customer_id LIMIT 10"
    ),
    "best_sellers": (
        "SELECT d.sku, d.name, p.orders, p.units, p.net_merchandise FROM marts.product_performance AS p"
        " INNER JOIN marts.dim_products AS d ON p.product_id = d.product_id ORDER BY p.rank, d.sku LIMIT 5"
    ),
    "champions": (
        # A champion's own figures that carry an interval; those of the candidates it beat are in the mart.
        "SELECT model, version, metric, slice, value, low, high, n FROM marts.model_performance"
        " WHERE is_champion AND low IS NOT NULL AND metric NOT LIKE '% of %' AND slice NOT LIKE 'origin%'"
        " ORDER BY model, metric, slice"
    ),
}


def query(sql: str) -> list[Row]:
    """Ask the published snapshot, by the same command that a person would use."""
    answer = run_step("query", ["pipelines", "query", sql, "--format", "json"], quiet=True)
    rows: list[Row] = json.loads(answer)
    return rows


def collect() -> dict[str, list[Row]]:
    """Every table of the summary."""
    return {name: query(sql) for name, sql in QUERIES.items()}


def table(rows: Sequence[Row], *, limit: int = 15) -> str:
    """Rows as aligned text."""
    if not rows:
        return "  (nothing)"
    columns = list(rows[0])
    cells = [[_text(column, row[column]) for column in columns] for row in rows[:limit]]
    widths = [max(len(column), *(len(line[i]) for line in cells)) for i, column in enumerate(columns)]
    lines = ["  " + "  ".join(column.ljust(width) for column, width in zip(columns, widths, strict=True))]
    lines.extend(
        "  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells
    )
    if len(rows) > limit:
        lines.append(f"  … and {len(rows) - limit} more")
    return "\n".join(lines)


def _text(column: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.4f}" if column in _MEASURES else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and column not in _NAMES else str(value)
