"""Data health: how fresh the figures are, what the audits said, which models speak."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from dashboards.lib import charts
from dashboards.lib.format import moment
from dashboards.lib.session import Snapshot, open_snapshot, settings

_LATEST_CHECKS = """
SELECT * FROM data_quality
WHERE run_id = (SELECT run_id FROM data_quality ORDER BY checked_at DESC, run_id LIMIT 1)
ORDER BY passed, severity, check_name
"""
_MODELS = """
SELECT * FROM model_performance
ORDER BY is_champion DESC, model, trained_at DESC, metric
"""


def freshness(snapshot: Snapshot) -> None:
    """The build that readers see, and how old it is."""
    build = snapshot.build
    published = build.published_at if build.published_at.tzinfo else build.published_at.replace(tzinfo=UTC)
    columns = st.columns(4)
    columns[0].metric(
        "Data as of", f"{build.as_of:%d %b %Y}", border=True, help=moment(build.as_of, snapshot.time_zone)
    )
    columns[1].metric("Published", f"{published:%d %b, %H:%M}", border=True, help=moment(published, snapshot.time_zone))
    hours = (datetime.now(UTC) - published).total_seconds() / 3600
    columns[2].metric("Hours since", f"{hours:,.1f}", border=True, help="Amber after 26 hours, red after 50.")
    short = build.build_id.rsplit("-", maxsplit=1)[-1]
    seeded = build.parent or "nothing: it is the first build"
    columns[3].metric("Build", short, border=True, help=f"{build.build_id}, seeded from {seeded}.")


def audits(snapshot: Snapshot) -> None:
    """Every check of the last run, failures first."""
    table = snapshot.query(_LATEST_CHECKS)
    with st.container(border=True):
        st.subheader("Audits", help="Blocking checks of the published build: nothing that failed them was published.")
        if table.is_empty():
            st.info("No audit results in this build.")
            return
        failed = table.filter(~pl.col("passed")).height
        message = f"{table.height - failed} of {table.height} checks passed"
        (st.success if failed == 0 else st.warning)(message)
        charts.table_with_csv(snapshot, table, name="audits", expanded=failed > 0)


def rejected_builds(folder: Path) -> pl.DataFrame:
    """What the audit has refused: one row a rejected build, newest first."""
    rows = []
    for report in sorted(folder.glob("*.json"), reverse=True)[:20]:
        try:
            content: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError):
            content = {"reasons": ["the report cannot be read"]}
        reasons = content.get("reasons", [])
        rows.append({"build": report.stem, "reasons": "; ".join(str(reason) for reason in reasons)})
    return pl.DataFrame(rows, schema={"build": pl.String, "reasons": pl.String})


def runs(snapshot: Snapshot) -> None:
    """The builds that were published and those that were refused."""
    with st.container(border=True):
        st.subheader("Runs")
        folder = settings().published
        kept = sorted((path.stem for path in folder.glob("*.duckdb")), reverse=True)
        st.caption("Kept builds: " + ", ".join(f"**{b}**" if b == snapshot.build.build_id else b for b in kept))
        rejected = rejected_builds(settings().var / "warehouse" / "rejected")
        if rejected.is_empty():
            st.success("No build has been rejected.")
        else:
            st.warning(f"{rejected.height} rejected builds; readers stayed on the last good one.")
            st.dataframe(rejected, hide_index=True, width="stretch")


def models(snapshot: Snapshot) -> None:
    """Champions and their metrics with 95 % intervals."""
    table = snapshot.query(_MODELS)
    with st.container(border=True):
        st.subheader(
            "Models", help="Metrics on the hold-out after the training cut-off, with 95 % bootstrap intervals."
        )
        if table.is_empty():
            st.info("No model has been trained yet. Run `python -m pipelines train`.")
            return
        champions = table.filter(pl.col("is_champion"))
        st.dataframe(champions, hide_index=True, width="stretch")
        charts.table_with_csv(snapshot, table, name="model_performance")


def main() -> None:
    """One run of the page."""
    snapshot = open_snapshot()
    st.title("Data health")
    freshness(snapshot)
    audits(snapshot)
    runs(snapshot)
    models(snapshot)


main()
