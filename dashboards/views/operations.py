"""Operations: which orders wait, which parcels are late or come back, what the shelf lacks and who owes what."""

from typing import Literal

import polars as pl
import streamlit as st

from dashboards.lib import charts, operations, sales
from dashboards.lib.filters import Period, TimeFilter, time_filter
from dashboards.lib.format import change, count, percent
from dashboards.lib.operations import ALL_COURIERS, Parcels
from dashboards.lib.session import Snapshot, open_snapshot, require_marts

_LATE_NOTE = "Late: arrived after the courier's promised time, of the parcels that arrived and had one."
_RTO_NOTE = "RTO rate: parcels that turned back to the shop, of those that arrived, turned back, were lost or damaged."


def waiting(snapshot: Snapshot) -> None:
    """What waits at this moment."""
    present = operations.now(snapshot)
    oldest = "–" if present.oldest_hours is None else f"{present.oldest_hours / 24:,.1f} days"
    specs = [
        ("Open orders", present.open_orders,
         f"Neither delivered nor cancelled nor expired. The longest wait of a paid one: {oldest}."),
        ("Late parcels on the road", present.late_parcels,
         f"Their promised time is over. On the road or waiting for pickup: {present.open_parcels:,}."),
        ("Products out of stock", present.products_out,
         f"A variant has nothing saleable anywhere. Below their low mark: {present.products_low:,}."),
        ("Overdue purchase orders", present.overdue_purchases,
         f"Units are to come and the expected time is over. Open ones: {present.open_purchases:,}."),
    ]  # fmt: skip
    for column, (label, figure, note) in zip(st.columns(len(specs)), specs, strict=True):
        column.metric(label, count(figure), help=note, border=True)


def orders_by_age(snapshot: Snapshot) -> None:
    """Open orders by status, coloured by how long they have been in it."""
    table = operations.ageing(snapshot)
    chart = charts.stacked_bars(
        table, x="orders", y="status", kind="age_bucket", kind_order="bucket_order", x_title="Orders"
    )
    charts.show(
        snapshot,
        chart,
        table.drop("status_order", "bucket_order"),
        name="orders_by_status_and_age",
        title="Open orders by status and age",
        note="Orders that stand in the status now, by the time since they entered it. Final statuses are left out.",
        empty="No order waits for anything.",
    )


def parcel_tiles(now: Parcels, before: Parcels | None) -> None:
    """How parcels of the period travelled, against the compared one."""
    specs: list[tuple[str, str, str | None, Literal["normal", "inverse"], str]] = [
        ("Parcels handed over", count(now.parcels), change(now.parcels, before.parcels if before else None), "normal",
         "To customers, by the shop's day on which the courier took them."),
        ("Delivered late", percent(now.late_rate), change(now.late_rate, before.late_rate if before else None),
         "inverse", _LATE_NOTE),
        ("RTO rate", percent(now.rto_rate), change(now.rto_rate, before.rto_rate if before else None), "inverse",
         _RTO_NOTE),
        ("Days to the door", "–" if now.median_days is None else f"{now.median_days:,.1f}",
         change(now.median_days, before.median_days if before else None), "inverse",
         "Median days from the hand-over to the delivery."),
    ]  # fmt: skip
    for column, (label, value, delta, colour, note) in zip(st.columns(len(specs)), specs, strict=True):
        column.metric(label, value, delta, delta_color=colour, help=note, border=True)


def parcels(snapshot: Snapshot, chosen: TimeFilter, before: Period | None) -> None:
    """Late and returned parcels of the period, couriers, and the parcels that need somebody now."""
    options = [ALL_COURIERS, *operations.couriers(snapshot)]
    courier = st.selectbox("Courier", options, key="courier", bind="query-params", width=320) or ALL_COURIERS
    parcel_tiles(
        operations.parcels(snapshot, chosen.period, courier),
        operations.parcels(snapshot, before, courier) if before else None,
    )
    left, right = st.columns(2)
    with left:
        table = operations.parcels_over_time(snapshot, chosen.period, chosen.grain, courier)
        charts.show(
            snapshot,
            charts.rates(table, x="period", parts={"late_rate": "late", "rto_rate": "RTO"}),
            table,
            name=f"parcels_by_{chosen.grain}",
            title="Late and returned parcels",
            note=f"By the day of the hand-over. {_LATE_NOTE} {_RTO_NOTE}",
            empty="No parcel was handed over in this period.",
        )
    with right:
        table = operations.courier_performance(snapshot, chosen.period)
        charts.show(
            snapshot,
            charts.rate_bars(table, y="courier", parts={"late_rate": "late", "rto_rate": "RTO"}),
            table,
            name="courier_performance",
            title="Couriers",
            note=f"Over the whole months that the period touches. {_LATE_NOTE} {_RTO_NOTE} Predicted cost is compared"
            " with the real one where that is known.",
            empty="No courier took a parcel in this period.",
        )
    late = operations.late_parcels(snapshot)
    charts.card(
        snapshot,
        late,
        name="late_parcels",
        title="Parcels that need somebody",
        note="On the road or waiting for pickup, and past their promised time or with a problem; at most 500.",
        empty="No parcel is late, none complains.",
    )


def stock(snapshot: Snapshot) -> None:
    """What is out, low or at risk, and what the formula would order."""
    table = operations.stock(snapshot)
    shown = table.head(15).with_columns((pl.col("sku") + " · " + pl.col("name").str.slice(0, 32)).alias("product"))
    left, right = st.columns(2)
    with left:
        charts.show(
            snapshot,
            charts.bars(shown, x="stock_out_risk", y="product", x_title="Risk to run out", is_share=True),
            table,
            name="stock_at_risk",
            title="Stock-outs and low stock",
            note="Products that are out of stock, below their low mark, to be ordered, or with a risk above 5 %. Risk:"
            " probability that demand until an order of today would come exceeds what is available and on order."
            " Days of cover: available / daily demand of the last 90 days.",
            empty="Nothing is out of stock, low or at risk.",
        )
    with right:
        charts.card(
            snapshot,
            operations.suggested_orders(snapshot),
            name="suggested_orders",
            title="Suggested orders",
            note="Demand over the lead time + safety stock − (available + on order), at least the supplier's minimum,"
            " in whole packs; or up to a reorder point that was set by hand.",
            empty="There is enough of everything that the shop reorders.",
        )


def procurement(snapshot: Snapshot) -> None:
    """What suppliers still owe."""
    table = operations.procurement(snapshot)
    left, right = st.columns(2)
    with left:
        charts.show(
            snapshot,
            charts.stacked_bars(table, x="outstanding_units", y="supplier", kind="state", x_title="Units to come"),
            table,
            name="procurement_by_supplier",
            title="Procurement",
            note="Units ordered and neither received nor given up, by supplier; overdue: the expected time is over.",
            empty="No purchase order is open.",
        )
    with right:
        charts.card(
            snapshot,
            operations.purchase_lines(snapshot),
            name="open_purchase_lines",
            title="Open purchase orders",
            note="Lines with units to come, the most overdue first; amounts in the order's currency.",
            empty="No purchase order is open.",
        )


def payments(snapshot: Snapshot) -> None:
    """Whether our books and the gateway's agree."""
    table = operations.payment_differences(snapshot)
    unexplained = table.filter(pl.col("is_open")).height
    with st.container(border=True):
        st.subheader(
            "Payment differences",
            help="Captured, refunded, fee and net of every payment, by our books and the gateway's. One unexplained"
            " paisa stops the publication, so what is listed here was explained before.",
        )
        if unexplained:
            st.error(f"{unexplained} differences with the gateway are not explained.")
        else:
            st.success("Our books and the gateway's agree to the smallest unit.")
        if not table.is_empty():
            charts.table_with_csv(snapshot, table, name="payment_differences", expanded=True)


def main() -> None:
    """One run of the page."""
    snapshot = open_snapshot()
    st.title("Operations")
    require_marts(snapshot, operations.MARTS)
    covered = sales.data_range(snapshot)
    if covered is None:
        st.info("The shop has not sold anything yet.")
        return
    waiting(snapshot)
    orders_by_age(snapshot)
    st.header("Parcels", divider="gray")
    chosen = time_filter(*covered)
    before = chosen.compared(first_day=covered[0])
    compared = "" if before or chosen.comparison == "none" else " · not compared: the history begins later"
    st.caption(f"{chosen.period.start:%d %b %Y} – {chosen.period.end:%d %b %Y}{compared}")
    parcels(snapshot, chosen, before)
    st.header("Stock and procurement", divider="gray")
    stock(snapshot)
    procurement(snapshot)
    st.header("Payments", divider="gray")
    payments(snapshot)


main()
