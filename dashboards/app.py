"""What Streamlit runs for every page: who looks, navigation, and the badge that says what the figures speak for."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import streamlit as st

from dashboards.lib.access import Viewer
from dashboards.lib.format import moment
from dashboards.lib.session import Snapshot, log_out, open_snapshot, require_viewer

# Not called `pages`: Streamlit runs what lies in a folder of that name by itself, without asking who looks.
_PAGES = Path(__file__).parent / "views"
_WARN_HOURS, _FAIL_HOURS = 26, 50
# Streamlit's wide layout leaves a third of a laptop's screen empty and cuts large amounts off.
_STYLE = """<style>
[data-testid=stMainBlockContainer] { padding: 2.5rem 2rem; }
[data-testid=stMetricValue] { font-size: 1.5rem; }
</style>"""


def navigation() -> "st.Page":
    """Every page is a file; the first is where one arrives."""
    return st.navigation(
        [
            st.Page(_PAGES / "overview.py", title="Overview", icon=":material/insights:", default=True),
            st.Page(_PAGES / "customers.py", title="Customers", icon=":material/group:"),
            st.Page(_PAGES / "products.py", title="Products", icon=":material/redeem:"),
            st.Page(_PAGES / "marketing.py", title="Marketing", icon=":material/campaign:"),
            st.Page(_PAGES / "operations.py", title="Operations", icon=":material/local_shipping:"),
            st.Page(_PAGES / "data_health.py", title="Data health", icon=":material/health_and_safety:"),
        ]
    )


def badge(snapshot: Snapshot) -> None:
    """Data as of when, and whether the last publication is older than the freshness policy allows."""
    build = snapshot.build
    published = build.published_at if build.published_at.tzinfo else build.published_at.replace(tzinfo=UTC)
    hours = (datetime.now(UTC) - published).total_seconds() / 3600
    colour: Literal["green", "orange", "red"] = (
        "green" if hours < _WARN_HOURS else "orange" if hours < _FAIL_HOURS else "red"
    )
    st.sidebar.badge(f"Data as of {moment(build.as_of, snapshot.time_zone)}", icon=":material/schedule:", color=colour)
    st.sidebar.caption(
        f"Build `{build.build_id}`, published {moment(published, snapshot.time_zone)}. "
        f"Days begin at midnight in {snapshot.time_zone}; money in {snapshot.currency}."
    )


def person(viewer: Viewer) -> None:
    """Who is logged in, and the way out."""
    st.sidebar.caption(f"Logged in as {viewer.email}")
    if st.sidebar.button("Log out"):
        log_out()


def main() -> None:
    """One run of the page that was asked for."""
    st.set_page_config(page_title="My Little Things", page_icon=":material/redeem:", layout="wide")
    st.html(_STYLE)
    viewer = require_viewer()
    page = navigation()
    badge(open_snapshot())
    person(viewer)
    page.run()


main()
