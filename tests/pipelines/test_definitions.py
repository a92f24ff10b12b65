"""What Dagster shows: lineage from the shop's tables to the screens, checks, jobs, schedules, the sensor."""

import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("warehouse")]


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The code location, its dbt project parsed into a folder of its own."""
    before = os.environ.get("MLT_VAR")
    os.environ["MLT_VAR"] = str(tmp_path_factory.mktemp("definitions") / "var")
    try:
        from pipelines.definitions import defs

        return defs
    finally:
        if before is None:
            os.environ.pop("MLT_VAR")
        else:
            os.environ["MLT_VAR"] = before


def _upstream(definitions: Any, *keys: str) -> set[str]:
    graph = definitions.resolve_asset_graph()
    seen: set[str] = set()
    waiting = [dg.AssetKey(key.split("/")) for key in keys]
    while waiting:
        parents = graph.get(waiting.pop()).parent_keys
        waiting.extend(parent for parent in parents if parent.to_user_string() not in seen)
        seen.update(parent.to_user_string() for parent in parents)
    return seen


def test_lineage_goes_from_the_shop_to_the_screens(definitions: Any) -> None:
    names = _upstream(definitions, "dashboards/overview", "serving/recommendations")
    assert {
        "shop/orders",
        "raw/orders",
        "staging/stg_orders",
        "marts/fct_orders",
        "marts/sales_by_period",
        "raw_ml/customer_churn_predictions",
        "marts/customer_churn",
        "marts/data_quality",
        "published/snapshot",
        "models/discover",
    } <= names


def test_every_page_is_an_asset(definitions: Any) -> None:
    from pipelines.settings import ROOT

    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    pages = {f"dashboards/{path.stem}" for path in Path(ROOT / "dashboards" / "views").glob("[!_]*.py")}
    assert pages
    assert pages <= keys


def test_publishing_waits_for_every_blocking_check(definitions: Any) -> None:
    job = definitions.resolve_job_def("refresh")
    order = [node.name for node in job.nodes_in_topological_order]
    assert order[0] == "extract"
    assert order[-2:] == ["audit_log", "published__snapshot"]
    assert {
        "reconcile",
        "ledgers",
        "drift",
        "dbt_warehouse",
        "score",
        "dbt_predictions",
        "audit_sales_by_period",
    } <= set(order)


def test_dbt_tests_and_expectations_are_asset_checks(definitions: Any) -> None:
    graph = definitions.resolve_asset_graph()
    checks = {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys}
    assert ("raw/orders", "equals_the_shop") in checks
    assert ("marts/fct_points", "equals_the_shops_ledger") in checks
    assert ("marts/sales_by_period", "net_adds_up") in checks
    assert ("marts/fct_orders", "row_count_drift") in checks
    assert any(asset == "marts/dim_customers" and "unique" in name for asset, name in checks)


def test_jobs_schedules_and_the_sensor_are_there(definitions: Any) -> None:
    assert {job.name for job in definitions.jobs} == {"refresh", "train"}
    assert {s.name for s in definitions.schedules} == {"nightly", "hourly", "weekly_training"}
    assert {sensor.name for sensor in definitions.sensors} == {"tell_someone"}


def test_the_published_snapshot_has_a_freshness_policy(definitions: Any) -> None:
    graph = definitions.resolve_asset_graph()
    assert graph.get(dg.AssetKey(["published", "snapshot"])).freshness_policy is not None


def test_every_step_that_opens_a_build_waits_for_the_writer_pool(definitions: Any) -> None:
    job = definitions.resolve_job_def("refresh")
    assert {node.definition.pool for node in job.nodes} == {"duckdb_writer"}
