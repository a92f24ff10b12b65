"""One page run: the build it speaks for, cached queries, and the person who looks."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NoReturn

import polars as pl
import streamlit as st

from dashboards.lib import published
from dashboards.lib.access import ShopUnreachableError, Viewer
from dashboards.lib.logins import COOKIE, logins
from dashboards.lib.published import Build, NothingPublishedError, SnapshotReader, UnreadableSnapshotError
from dashboards.settings import DashboardSettings, load_settings

# A fixed text without anything of a visitor in it. The entrance brings them back to this very address.
_GO_TO_THE_ENTRANCE = """<script>
window.location.assign("/login?next=" + encodeURIComponent(window.location.pathname + window.location.search));
</script>"""


@st.cache_resource
def _reader() -> SnapshotReader:
    return SnapshotReader()


@st.cache_resource
def settings() -> DashboardSettings:
    """This process's settings."""
    return load_settings()


@st.cache_data(max_entries=500, show_spinner=False)
def _cached(build_id: str, sql: str, parameters: tuple[object, ...], _build: Build) -> pl.DataFrame:  # noqa: ARG001
    return _reader().query(_build, sql, parameters)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The published build that this page run reads; the pointer is read once per run, so a page never mixes two."""

    build: Build
    currency: str
    time_zone: str

    def query(self, sql: str, *parameters: object) -> pl.DataFrame:
        """One SELECT on the marts, cached by build, statement and parameters."""
        return _cached(self.build.build_id, sql, parameters, self.build)


def require_viewer() -> Viewer:
    """The person whose cookie the browser sent; anybody else is led to the entrance, and the page stops."""
    try:
        viewer = logins().viewer(_cookie())
    except ShopUnreachableError as error:
        st.error(f"Nobody can say whether you may still look. {error}")
        st.stop()
    if viewer is None:
        _leave()
    return viewer


def log_out() -> NoReturn:
    """End the login here and at the shop, and go to the entrance."""
    logins().end(_cookie())
    st.session_state.clear()
    _leave()


def _cookie() -> str | None:
    return st.context.cookies.to_dict().get(COOKIE)


def _leave() -> NoReturn:
    st.info("You are logged out. The log-in form opens; if it does not, load this page again.")
    st.html(_GO_TO_THE_ENTRANCE, unsafe_allow_javascript=True)
    st.stop()


def require_marts(snapshot: Snapshot, names: Collection[str]) -> None:
    """Stop the page with a word where the snapshot was published before these marts existed."""
    known = snapshot.query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts'")
    missing = sorted(set(names) - set(known.get_column("table_name")))
    if missing:
        st.info(
            f"The published build has no {', '.join(missing)}: it is older than this page."
            " Run `python -m pipelines refresh`; the page fills itself afterwards."
        )
        st.stop()


def open_snapshot() -> Snapshot:
    """The current snapshot; stops the page with a clear word when there is none."""
    try:
        build = published.current_build(settings().published)
    except NothingPublishedError:
        st.info("Nothing is published yet. Run `python -m pipelines refresh`; this page fills itself afterwards.")
        st.stop()
    except UnreadableSnapshotError as error:
        st.error(f"The published figures cannot be read: {error}")
        st.stop()
    shop = _cached(build.build_id, "SELECT base_currency, time_zone FROM dim_shop", (), build).row(0, named=True)
    return Snapshot(build=build, currency=shop["base_currency"], time_zone=shop["time_zone"])
