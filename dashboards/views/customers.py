"""Customers: who they are by recency, frequency and value; what they will be worth; who is about to leave."""

import polars as pl
import streamlit as st

from dashboards.lib import charts
from dashboards.lib.format import count, money, percent
from dashboards.lib.session import Snapshot, open_snapshot

_GRID = """
SELECT r_score, f_score, count(*)::BIGINT AS customers, sum(monetary)::DECIMAL(18, 2) AS monetary
FROM customer_rfm
WHERE r_score IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2
"""
_SEGMENTS = """
SELECT rfm_segment AS segment,
       count(*)::BIGINT AS customers,
       sum(monetary)::DECIMAL(18, 2) AS monetary,
       round(avg(recency_days), 1) AS mean_recency_days,
       round(avg(frequency), 2) AS mean_orders
FROM customer_rfm
GROUP BY 1
ORDER BY customers DESC, 1
"""
_SEGMENT_MEMBERS = """
SELECT customer_id, recency_days, frequency, monetary, r_score, f_score, m_score
FROM customer_rfm
WHERE rfm_segment = ?
ORDER BY monetary DESC NULLS LAST, customer_id
LIMIT 1000
"""
_DECILES = """
SELECT value_decile,
       count(*)::BIGINT AS customers,
       sum(predicted_value_365d)::DECIMAL(18, 2) AS predicted_value_365d,
       sum(historic_value)::DECIMAL(18, 2) AS historic_value
FROM customer_lifetime_value
WHERE predicted_value_365d IS NOT NULL
GROUP BY 1
ORDER BY 1
"""
_TOP_VALUE = """
SELECT * FROM customer_lifetime_value
WHERE predicted_value_365d IS NOT NULL
ORDER BY predicted_value_365d DESC, customer_id
LIMIT 50
"""
_BANDS = """
SELECT risk_band, count(*)::BIGINT AS customers, round(avg(churn_probability), 4) AS mean_probability
FROM customer_churn
WHERE churn_probability IS NOT NULL
GROUP BY 1
ORDER BY mean_probability DESC
"""
_MOST_AT_RISK = """
SELECT c.customer_id, c.churn_probability, c.risk_band, c.main_reasons, r.monetary, r.rfm_segment
FROM customer_churn AS c
INNER JOIN customer_rfm AS r ON c.customer_id = r.customer_id
WHERE c.churn_probability IS NOT NULL
ORDER BY c.churn_probability * r.monetary DESC, c.customer_id
LIMIT 50
"""
_COHORTS = """
SELECT strftime(CAST(cohort_month AS DATE), '%Y-%m') AS cohort,
       months_since, customers, active_customers, retention_rate, net_merchandise
FROM cohort_retention
WHERE is_complete
ORDER BY 1, 2
"""


def tiles(snapshot: Snapshot) -> None:
    """How many, how active, how much at stake."""
    row = snapshot.query(
        "SELECT count(*)::BIGINT AS customers, count(*) FILTER (frequency > 1)::BIGINT AS repeaters,"
        " sum(monetary)::DECIMAL(18, 2) AS monetary FROM customer_rfm WHERE frequency > 0"
    ).row(0, named=True)
    expected = snapshot.query("SELECT sum(predicted_value_365d)::DECIMAL(18, 2) AS v FROM customer_lifetime_value")
    columns = st.columns(4)
    columns[0].metric("Customers with an order", count(row["customers"]), border=True)
    share = row["repeaters"] / row["customers"] if row["customers"] else None
    columns[1].metric("Bought more than once", percent(share), border=True, help="Two or more orders.")
    columns[2].metric("Net merchandise so far", money(row["monetary"], snapshot.currency), border=True,
                      help="Of customers we know; guests without an e-mail have no customer.")  # fmt: skip
    columns[3].metric("Expected in the next 365 days", money(expected.item(), snapshot.currency), border=True,
                      help="Sum of the predicted value of every customer, by the champion model.")  # fmt: skip


def rfm(snapshot: Snapshot) -> None:
    """The grid of recency and frequency, the eleven groups, and the people behind each."""
    left, right = st.columns(2)
    grid = snapshot.query(_GRID)
    with left:
        charts.show(
            snapshot,
            charts.heat_map(grid, x="f_score", y="r_score", value="customers", value_format=",",
                            x_title="Frequency score (5 = most orders)", y_title="Recency score (5 = latest)",
                            y_sort="descending"),
            grid,
            name="rfm_grid",
            title="RFM grid",
            note="Customers per recency and frequency quintile; equal values share a score.",
        )  # fmt: skip
    segments = snapshot.query(_SEGMENTS)
    with right:
        charts.show(
            snapshot,
            charts.bars(segments, x="customers", y="segment", x_title="Customers", colour=charts.SECOND),
            segments,
            name="rfm_segments",
            title="RFM groups",
            note="The eleven groups; the score ranges of each are a seed of the warehouse.",
        )
    with st.container(border=True):
        options = segments.get_column("segment").to_list()
        chosen = st.selectbox("Customers of the group", options, key="segment", bind="query-params")
        if chosen:
            charts.table_with_csv(
                snapshot, snapshot.query(_SEGMENT_MEMBERS, chosen), name=f"customers_{chosen}", expanded=True
            )


def value(snapshot: Snapshot) -> None:
    """Predicted value by decile and the customers at the top."""
    deciles = snapshot.query(_DECILES)
    charts.show(
        snapshot,
        charts.bars(
            deciles.with_columns(("decile " + pl.col("value_decile").cast(pl.String)).alias("decile")),
            x="predicted_value_365d",
            y="decile",
            x_title=f"Predicted value, 365 days ({snapshot.currency})",
        ),
        deciles,
        name="lifetime_value_deciles",
        title="Lifetime value by decile",
        note="Expected orders × expected order value over the next 365 days (BG/NBD and Gamma-Gamma).",
    )
    top = snapshot.query(_TOP_VALUE)
    if not top.is_empty():
        st.caption("The fifty customers with the highest predicted value")
        charts.table_with_csv(snapshot, top, name="top_lifetime_value", expanded=True)


def churn(snapshot: Snapshot) -> None:
    """How many are at risk, and whose loss would cost most."""
    bands = snapshot.query(_BANDS)
    charts.show(
        snapshot,
        charts.bars(bands, x="customers", y="risk_band", x_title="Customers"),
        bands,
        name="churn_bands",
        title="Churn risk",
        note="Calibrated probability of no order in the next 90 days, among customers with an order in the last 365.",
    )
    at_risk = snapshot.query(_MOST_AT_RISK)
    if not at_risk.is_empty():
        st.caption("Most to lose: probability × value so far")
        charts.table_with_csv(snapshot, at_risk, name="churn_most_to_lose", expanded=True)


def cohorts(snapshot: Snapshot) -> None:
    """Retention by month of the first order; months that are not over yet stay blank."""
    table = snapshot.query(_COHORTS)
    shown = table.filter(pl.col("months_since") > 0)
    chart = charts.heat_map(
        shown, x="months_since", y="cohort", value="retention_rate", value_format=".0%",
        x_title="Months since the first order", y_title="First order",
    )  # fmt: skip
    charts.show(
        snapshot,
        chart,
        table,
        name="cohort_retention",
        title="Cohorts",
        note="Share of a month's new customers who ordered again so many months later. Immature cells are left out.",
    )


def main() -> None:
    """One run of the page."""
    snapshot = open_snapshot()
    st.title("Customers")
    tiles(snapshot)
    rfm(snapshot)
    left, right = st.columns(2)
    with left:
        value(snapshot)
    with right:
        churn(snapshot)
    cohorts(snapshot)


main()
