"""Stage five: what passed the audit becomes the snapshot that readers follow."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from pipelines import publishing
from pipelines.assets.common import SNAPSHOT, WRITER_POOL, build_of, mart, raw_ops
from pipelines.assets.quality import required_checks
from pipelines.assets.warehouse import prediction_models, warehouse_models
from pipelines.progress import say
from pipelines.settings import from_environment

FRESHNESS = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=26), fail_window=timedelta(hours=50))
"""The one policy: a night may fail, a day may not. Dashboards show the same limits as a badge."""


def _marts() -> list[dg.AssetKey]:
    keys = [key for models in (warehouse_models, prediction_models) for key in models.keys if key.path[0] == "marts"]
    return [*sorted(keys), mart("data_quality"), raw_ops("check_results")]


@dg.asset(
    key=SNAPSHOT,
    deps=_marts(),
    group_name="published",
    freshness_policy=FRESHNESS,
    pool=WRITER_POOL,
    kinds={"duckdb"},
    description="Every audited mart in one immutable file, and the pointer CURRENT.json that names it.",
)
def snapshot(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Publish, or refuse: unaudited figures and figures older than the published ones stay where they are."""
    settings = from_environment()
    build = build_of(context, settings)
    card = publishing.publish(settings, build, now=datetime.now(UTC), required_checks=required_checks())
    say("publish", f"published {card.build_id}: {card.bytes / 1e6:.1f} MB, as of {card.as_of:%Y-%m-%d %H:%M} UTC")
    return dg.MaterializeResult(metadata={key: str(value) for key, value in card.as_json().items()})
