"""Marketing: what the shop owes in points, what offers cost and bring, and who sends shoppers."""

from typing import Literal

import polars as pl
import streamlit as st

from dashboards.lib import charts, marketing, sales
from dashboards.lib.filters import Period, TimeFilter, time_filter
from dashboards.lib.format import change, count, money, percent
from dashboards.lib.marketing import ALL_WALLETS, WALLETS, Standing
from dashboards.lib.session import Snapshot, open_snapshot, require_marts

_BREAKAGE_NOTE = (
    "Expected breakage: the share of points that expired unused, among the lots whose time was up by that day;"
    " 0 until 30 lots of a wallet have come to their expiry."
)
_NO_POINTS = "The shop has no points ledger: nobody has earned points."
_NO_OFFERS = "No offer of this shop was ever used."


def point_tiles(snapshot: Snapshot, now: Standing, before: Standing | None) -> None:
    """What the shop owes at the end of the period, against the compared one."""
    rate = percent(now.breakage_rate)
    specs: list[tuple[str, str, str | None, Literal["normal", "inverse", "off"], str]] = [
        ("Points outstanding", count(now.points), change(now.points, before.points if before else None), "off",
         f"Active {now.active:,} + pending {now.pending:,} − owed by customers {now.owed:,}, on the last day."),
        ("Value owed", money(now.value_owed, snapshot.currency),
         change(now.value_owed, before.value_owed if before else None), "off",
         "Points outstanding at the value of a point in force on that day."),
        ("Expected breakage", money(now.expected_breakage, snapshot.currency), None, "off",
         f"{_BREAKAGE_NOTE} Rate: {rate}, from {count(now.matured_lots)} lots."),
        ("Expected cost", money(now.expected_cost, snapshot.currency),
         change(now.expected_cost, before.expected_cost if before else None), "off",
         "Value owed less expected breakage."),
    ]  # fmt: skip
    for column, (label, value, delta, colour, note) in zip(st.columns(len(specs)), specs, strict=True):
        column.metric(label, value, delta, delta_color=colour, help=note, border=True)


def points(snapshot: Snapshot, chosen: TimeFilter, before: Period | None) -> None:
    """The liability and its states, what moved it, and whose it is."""
    wallet = st.selectbox("Wallet", WALLETS, key="wallet", bind="query-params", width=320) or ALL_WALLETS
    period, grain = chosen.period, chosen.grain
    standing = marketing.standing(snapshot, period.end, wallet)
    point_tiles(snapshot, standing, marketing.standing(snapshot, before.end, wallet) if before else None)
    table = marketing.liability(snapshot, period, grain, wallet)
    charts.show(
        snapshot,
        charts.layers_of(
            table, x="period", parts=("active", "pending", "owed"), minus="expected_breakage_points", y_title="Points"
        ),
        table,
        name=f"points_liability_by_{grain}",
        title="Points liability",
        note="Points at the end of each period by state: active ones can be spent, pending ones wait for the return"
        " window, owed ones were taken back after they had been spent (below the line). Dashed: the part that is"
        f" expected to be lost. {_BREAKAGE_NOTE}",
        empty=_NO_POINTS,
    )
    left, right = st.columns(2)
    with left:
        table = marketing.flows(snapshot, period, grain, wallet)
        charts.show(
            snapshot,
            charts.lines(table, x="period", parts=("issued", "redeemed", "expired", "taken_back"), y_title="Points"),
            table,
            name=f"points_moved_by_{grain}",
            title="Points issued, redeemed, expired",
            note="Issued: earned, given, or added by hand. Redeemed: spent, less what came back with its order."
            " Expired: less what was reinstated. Taken back: with what had earned them, or by hand. A redemption from"
            " both wallets counts under all wallets only.",
            empty="No points moved in this period.",
        )
    with right:
        table = marketing.tiers(snapshot, wallet)
        charts.show(
            snapshot,
            charts.bars(table, x="points", y="tier", x_title="Points outstanding"),
            table,
            name="tiers",
            title="Tiers",
            note="Members of each tier now, and the points that they have. `none`: nothing earned by an order yet.",
            empty=_NO_POINTS,
        )


def offers(snapshot: Snapshot, chosen: TimeFilter) -> None:
    """What coupons and automatic offers cost, and what they bring beyond their control group."""
    table = marketing.offers(snapshot)
    left, right = st.columns(2)
    with left:
        charts.show(
            snapshot,
            charts.bars(table.head(15), x="discount_cost", y="offer", x_title=f"Discount cost ({snapshot.currency})"),
            table,
            name="offers",
            title="Coupons and offers",
            note="Over the whole history: orders in figures that the offer lowered, their merchandise after all"
            " discounts, and what this offer gave away. Single-use codes of a batch stand together.",
            empty=_NO_OFFERS,
        )
    with right:
        uplift(snapshot)
    table = marketing.discounts(snapshot, chosen.period, chosen.grain)
    charts.show(
        snapshot,
        charts.stacked(table, x="period", parts=("by_code", "automatic"), y_title=f"Discounts ({snapshot.currency})"),
        table,
        name=f"discounts_by_{chosen.grain}",
        title="Discounts by code and of themselves",
        note="What offers took off orders in figures, shipping included, by the day of the order. Orders from before"
        " discounts were kept rule by rule are not in it.",
        empty="No offer lowered an order in this period.",
    )


def uplift(snapshot: Snapshot) -> None:
    """Each offer's effect against the people who were left out by lot, or that it has no control group."""
    table = marketing.uplift(snapshot)
    measured = table.filter(pl.col("uplift_state") == "measured")
    with st.container(border=True):
        st.subheader(
            "Uplift",
            help="Merchandise sold per person who could have the offer, minus per person who was left out by lot, after"
            " discounts and before returns; the line is the 95 % interval (± 1.96 standard errors). Above zero as a"
            " whole: the offer brings more than it gives away.",
        )
        if table.is_empty():
            st.info(_NO_OFFERS)
            return
        if not measured.is_empty():
            chart = charts.intervals(
                measured, y="offer", x="uplift_per_person", low="uplift_low", high="uplift_high",
                x_title=f"Per person ({snapshot.currency})",
            )  # fmt: skip
            st.altair_chart(chart, width="stretch")
        for state in ("too few people", "no control group"):
            names = table.filter(pl.col("uplift_state") == state).get_column("offer").unique().sort()
            if not names.is_empty():
                st.info(f"{state.capitalize()}: {', '.join(names.head(8))}")
        charts.table_with_csv(snapshot, table, name="uplift")


def referrals(snapshot: Snapshot, chosen: TimeFilter) -> None:
    """Affiliates from the click to the payout, and customers who invite others."""
    left, right = st.columns(2)
    with left:
        table = marketing.affiliate_funnel(snapshot)
        charts.show(
            snapshot,
            charts.bars(table, x="figure", y="step", x_title="Over the whole history"),
            table,
            name="affiliate_funnel",
            title="Affiliates",
            note="Clicks on affiliates' links, orders in figures that named one, those that count (buyer and affiliate"
            " are not the same person), and first orders among them.",
            empty="The shop has no affiliates.",
        )
    with right:
        table = marketing.invitations(snapshot)
        charts.show(
            snapshot,
            charts.bars(table, x="figure", y="step", x_title="Over the whole history", colour=charts.SECOND),
            table,
            name="invitations",
            title="Invitations",
            note="Customers with an invitation code, first orders that used one, those that were not refused, and those"
            " whose return window passed, so that both sides got their reward.",
            empty="No customer invites others.",
        )
    left, right = st.columns(2)
    with left:
        table = marketing.commission(snapshot, chosen.period, chosen.grain)
        charts.show(
            snapshot,
            charts.lines(
                table, x="period", parts=("earned", "approved", "paid", "reversed"),
                y_title=f"Commission ({snapshot.currency})",
            ),
            table,
            name=f"commission_by_{chosen.grain}",
            title="Commission",
            note="Earned with a paid order, approved after its return window, paid out, taken back by returns.",
            empty="No commission moved in this period.",
        )  # fmt: skip
    with right:
        charts.card(
            snapshot,
            marketing.affiliates(snapshot),
            name="affiliates",
            title="Affiliates one by one",
            note="Over the whole history. Payable = approved − reversed − paid.",
            empty="The shop has no affiliates.",
        )


def main() -> None:
    """One run of the page."""
    snapshot = open_snapshot()
    st.title("Marketing")
    require_marts(snapshot, marketing.MARTS)
    covered = sales.data_range(snapshot)
    if covered is None:
        st.info("The shop has not sold anything yet.")
        return
    chosen = time_filter(*covered)
    before = chosen.compared(first_day=covered[0])
    compared = "" if before or chosen.comparison == "none" else " · not compared: the history begins later"
    st.caption(f"{chosen.period.start:%d %b %Y} – {chosen.period.end:%d %b %Y}{compared}")
    st.header("Points", divider="gray")
    points(snapshot, chosen, before)
    st.header("Coupons and offers", divider="gray")
    offers(snapshot, chosen)
    st.header("Referrals", divider="gray")
    referrals(snapshot, chosen)


main()
