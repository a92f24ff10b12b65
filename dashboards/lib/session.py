"""One page run: the build it speaks for, cached queries, and the person who looks."""

from dataclasses import dataclass

import polars as pl
import streamlit as st

from dashboards.lib import published
from dashboards.lib.published import Build, NothingPublishedError, SnapshotReader, UnreadableSnapshotError
from dashboards.settings import DashboardSettings, load_settings


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
