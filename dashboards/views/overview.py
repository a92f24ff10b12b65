"""Overview: how the shop trades, against the period before."""

import polars as pl
import streamlit as st

from dashboards.lib import charts, sales
from dashboards.lib.filters import Period, TimeFilter, time_filter
from dashboards.lib.format import change, count, money
from dashboards.lib.sales import Totals
from dashboards.lib.session import Snapshot, open_snapshot

_NEW_AND_RETURNING = """
SELECT CAST(period_start AS DATE) AS month, new_customers, returning_customers
FROM sales_by_period
WHERE period_grain = 'month' AND CAST(period_start AS DATE) BETWEEN date_trunc('month', CAST(? AS DATE)) AND ?
ORDER BY 1
"""

_BY_DIMENSION = """
SELECT any_value(label) AS value,
       sum(orders)::BIGINT AS orders,
       sum(units)::BIGINT AS units,
       sum(net_merchandise)::DECIMAL(18, 2) AS net_merchandise
FROM sales_by_dimension
WHERE dimension = ? AND CAST(month_start AS DATE) BETWEEN date_trunc('month', CAST(? AS DATE)) AND ?
GROUP BY dimension_value
ORDER BY net_merchandise DESC, value
LIMIT 12
"""


def tiles(now: Totals, before: Totals | None, currency: str, trend: pl.DataFrame) -> None:
    """The five figures that one looks at first, each with its change and its line."""

    def delta(figure: str) -> str | None:
        return change(getattr(now, figure), getattr(before, figure)) if before else None

    def line(column: str) -> list[float]:
        return trend.get_column(column).cast(pl.Float64).to_list()

    specs = [
        ("Net merchandise", money(now.net_merchandise, currency), "net_merchandise", line("net_merchandise"),
         "Gross merchandise − discounts − returns. Returns count on the day they were processed."),
        ("Orders", count(now.orders), "orders", line("orders"),
         "Orders placed and paid (or payable on delivery), on the day they were placed."),
        ("Average order", money(now.average_order_value, currency), "average_order_value", [],
         "(Gross merchandise − discounts) / orders."),
        ("Units", count(now.units), "units", line("units"), "Units sold, before returns."),
        ("New customers", count(now.new_customers), "new_customers", [],
         "Customers whose first order ever lies in the period."),
    ]  # fmt: skip
    for column, (label, value, figure, points, note) in zip(st.columns(len(specs)), specs, strict=True):
        column.metric(label, value, delta(figure), help=note, border=True, chart_data=points or None, height="stretch")


def sales_over_time(snapshot: Snapshot, chosen: TimeFilter, trend: pl.DataFrame, before: Period | None) -> None:
    """Net merchandise per day, week or month; the compared period dashed."""
    earlier = sales.over_time(snapshot, before, chosen.grain) if before else None
    table = sales.compared(trend, earlier)
    chart = charts.over_time(
        table,
        x="period",
        y="net_merchandise",
        y_title=f"Net merchandise ({snapshot.currency})",
        compared="compared_net_merchandise" if before else None,
    )
    charts.show(
        snapshot,
        chart,
        table,
        name=f"sales_by_{chosen.grain}",
        title="Sales over time",
        note="Gross − discounts − returns of each period. Dashed: the compared period, laid point by point underneath.",
    )


def breakdown(snapshot: Snapshot, period: Period, dimension: str, title: str) -> None:
    """The largest values of one dimension, whole months."""
    table = snapshot.query(_BY_DIMENSION, dimension, period.start, period.end)
    total = table.get_column("net_merchandise").sum()
    if total:
        table = table.with_columns((pl.col("net_merchandise").cast(pl.Float64) / float(total)).round(4).alias("share"))
    charts.show(
        snapshot,
        charts.bars(table, x="net_merchandise", y="value", x_title=f"Net merchandise ({snapshot.currency})"),
        table,
        name=f"sales_by_{dimension}",
        title=title,
        note="The twelve largest, over the whole months that the period touches; `share` is of the twelve.",
    )


def main() -> None:
    """One run of the page."""
    snapshot = open_snapshot()
    st.title("Overview")
    covered = sales.data_range(snapshot)
    if covered is None:
        st.info("The shop has not sold anything yet.")
        return
    chosen = time_filter(*covered)
    before = chosen.compared(first_day=covered[0])
    trend = sales.over_time(snapshot, chosen.period, chosen.grain)
    compared = "" if before or chosen.comparison == "none" else " · not compared: the history begins later"
    st.caption(f"{chosen.period.start:%d %b %Y} – {chosen.period.end:%d %b %Y}{compared}")
    tiles(
        sales.totals(snapshot, chosen.period),
        sales.totals(snapshot, before) if before else None,
        snapshot.currency,
        trend,
    )
    sales_over_time(snapshot, chosen, trend, before)
    left, right = st.columns(2)
    with left:
        table = snapshot.query(_NEW_AND_RETURNING, chosen.period.start, chosen.period.end)
        charts.show(
            snapshot,
            charts.stacked(table, x="month", parts=["new_customers", "returning_customers"], y_title="Customers"),
            table,
            name="new_and_returning_customers",
            title="New and returning customers",
            note="New: the first order ever lies in the month. Returning: over the whole history.",
        )
    with right:
        breakdown(snapshot, chosen.period, "category", "Sales by category")
    left, right = st.columns(2)
    with left:
        breakdown(snapshot, chosen.period, "product", "Best-selling products")
    with right:
        breakdown(snapshot, chosen.period, "country", "Sales by country")


main()
