"""Products: what sells, what rises, what comes back, what goes together."""

import polars as pl
import streamlit as st

from dashboards.lib import charts
from dashboards.lib.session import Snapshot, open_snapshot

_TABLE = """
SELECT p.rank, d.sku, d.name, d.category, p.orders, p.customers, p.units, p.net_merchandise, p.return_rate,
       p.views, p.carts, p.conversion_rate, p.average_rating, p.trend_score, p.product_id
FROM product_performance AS p
INNER JOIN dim_products AS d ON p.product_id = d.product_id
WHERE p.orders > 0
ORDER BY p.rank, p.product_id
"""
# The same rule as the shop's own shelf: a shrunk ratio, so that one order after none is no trend.
_RISING = """
WITH sold AS (
    SELECT l.product_id,
           count(DISTINCT l.order_id) FILTER (l.placed_at > s.as_of - INTERVAL 7 DAY) AS last_week,
           count(DISTINCT l.order_id) FILTER (l.placed_at <= s.as_of - INTERVAL 7 DAY) / 4.0 AS weekly_before
    FROM fct_order_lines AS l
    CROSS JOIN dim_shop AS s
    WHERE l.is_sale AND l.placed_at > s.as_of - INTERVAL 35 DAY AND l.placed_at <= s.as_of
    GROUP BY 1
)
SELECT d.sku, d.name, sold.last_week AS orders_last_week, sold.weekly_before AS orders_a_week_before,
       round((sold.last_week + 5) / (sold.weekly_before + 5), 3) AS rise
FROM sold
INNER JOIN dim_products AS d ON sold.product_id = d.product_id
WHERE (sold.last_week + 5) / (sold.weekly_before + 5) > 1
ORDER BY rise DESC, d.sku
LIMIT 15
"""
_TOGETHER = """
SELECT b.sku, b.name, a.orders_together, a.support, a.confidence, a.lift, a.rank
FROM product_affinity AS a
INNER JOIN dim_products AS b ON a.other_product_id = b.product_id
WHERE a.product_id = ?
ORDER BY a.rank, b.sku
LIMIT 20
"""


def _named(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns((pl.col("sku") + " · " + pl.col("name").str.slice(0, 40)).alias("product"))


def best_sellers(snapshot: Snapshot, table: pl.DataFrame) -> None:
    """The fifteen products with the highest net merchandise."""
    best = table.sort("net_merchandise", "product_id", descending=[True, False]).head(15)
    charts.show(
        snapshot,
        charts.bars(best, x="net_merchandise", y="product", x_title=f"Net merchandise ({snapshot.currency})"),
        best,
        name="best_sellers",
        title="Best sellers",
        note="By net merchandise over the whole history.",
    )


def rising(snapshot: Snapshot) -> None:
    """The fifteen products with the strongest rise of the last week."""
    up = _named(snapshot.query(_RISING))
    charts.show(
        snapshot,
        charts.bars(up, x="rise", y="product", x_title="Rise", colour=charts.SECOND),
        up,
        name="rising_products",
        title="Rising",
        note="(orders in the last 7 days + 5) / (weekly mean of the 28 days before + 5); above 1 is a rise.",
    )


def returned(snapshot: Snapshot, table: pl.DataFrame) -> None:
    """The products that come back most, among those sold often enough to say so."""
    often = table.filter((pl.col("units") >= 30) & (pl.col("return_rate") > 0))
    worst = often.sort("return_rate", "product_id", descending=[True, False]).head(15)
    charts.show(
        snapshot,
        charts.bars(worst, x="return_rate", y="product", x_title="Return rate", colour=charts.MUTED),
        worst,
        name="most_returned",
        title="Most returned",
        note="Returned units / sold units, products with at least 30 units sold.",
    )


def together(snapshot: Snapshot, table: pl.DataFrame) -> None:
    """What is bought together with one chosen product."""
    with st.container(border=True):
        st.subheader(
            "Bought together", help="Confidence: of the orders with the chosen product, the share with the other."
        )
        product = st.selectbox("Product", table.get_column("product").to_list(), key="product")
        chosen = table.filter(pl.col("product") == product).get_column("product_id")
        pairs = snapshot.query(_TOGETHER, chosen.item()) if chosen.len() == 1 else None
        if pairs is None or pairs.is_empty():
            st.info("Too few orders contain this product together with another.")
            return
        charts.table_with_csv(snapshot, pairs, name="bought_together", expanded=True)


def main() -> None:
    """One run of the page."""
    snapshot = open_snapshot()
    st.title("Products")
    table = _named(snapshot.query(_TABLE))
    if table.is_empty():
        st.info("No product has been sold yet.")
        return
    left, right = st.columns(2)
    with left:
        best_sellers(snapshot, table)
    with right:
        rising(snapshot)
        returned(snapshot, table)
    together(snapshot, table)
    with st.container(border=True):
        st.subheader("All products")
        charts.table_with_csv(snapshot, table.drop("product_id", "product"), name="products", expanded=True)


main()
