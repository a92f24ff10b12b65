"""The refresh as people run it: Dagster, dbt, audit and publishing on a small imported shop."""

import csv
import io
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.duck import attached
from pipelines.faults import VARIABLE
from tests.pipelines.house import Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("warehouse")]

KILLED_AT = ("after_merge", "in_audit", "in_dbt_warehouse", "in_dbt_predictions", "before_pointer")


def _mart_rows(warehouse: Warehouse) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every published mart but the audit's own, which knows run ids."""
    with attached(warehouse.settings.published / warehouse.pointer()["path"], read_only=True) as snapshot:
        names = snapshot.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts'").fetchall()
        return {
            name: snapshot.execute(f'FROM marts."{name}" ORDER BY ALL').fetchall()
            for (name,) in names
            if name != "data_quality"
        }


class TestFigures:
    def test_sales_are_the_shops_own_to_the_penny(self, refreshed: Warehouse) -> None:
        [(gross, orders)] = refreshed.shop("SELECT sum(gross_minor), count(*) FROM orders")
        [row] = refreshed.query(
            "SELECT sum(gross_merchandise) AS gross, sum(orders) AS orders FROM marts.sales_by_period"
            " WHERE period_grain = 'month'"
        )
        assert round(row["gross"] * 100) == gross
        assert row["orders"] == orders

    def test_every_check_passed_and_is_shown(self, refreshed: Warehouse) -> None:
        rows = refreshed.query(
            "SELECT check_name, asset, passed FROM marts.data_quality WHERE run_id = "
            f"'{refreshed.pointer()['build_id']}'"
        )
        assert {row["passed"] for row in rows} == {True}
        names = {row["check_name"] for row in rows}
        assert {"equals_the_shop", "row_count_drift", "revenue_drift", "net_adds_up"} <= names
        assert "unique_dim_customers_customer_id" in names

    def test_without_models_predictions_are_absent_not_invented(self, refreshed: Warehouse) -> None:
        rows = refreshed.query("SELECT DISTINCT predicted_value_365d FROM marts.customer_lifetime_value")
        assert rows == [{"predicted_value_365d": None}]


class TestCommandLine:
    def test_status_names_build_and_moment(self, refreshed: Warehouse) -> None:
        answer = refreshed.run("pipelines", "status").stdout
        assert refreshed.pointer()["build_id"] in answer
        assert "as of      2010-" in answer

    def test_query_in_three_forms(self, refreshed: Warehouse) -> None:
        sql = "SELECT 'a,b' AS text, DATE '2026-01-15' AS day, 1.50::DECIMAL(18,2) AS money, NULL AS nothing"
        forms = {
            form: refreshed.run("pipelines", "query", sql, "--format", form).stdout for form in ("table", "csv", "json")
        }
        assert json.loads(forms["json"]) == [{"text": "a,b", "day": "2026-01-15", "money": 1.5, "nothing": None}]
        assert list(csv.reader(io.StringIO(forms["csv"]))) == [
            ["text", "day", "money", "nothing"],
            ["a,b", "2026-01-15", "1.50", ""],
        ]
        assert forms["table"].splitlines()[-1] == "(1 rows)"

    @pytest.mark.parametrize("sql", ["SELECT nonsense", "DELETE FROM marts.dim_shop", ""])
    def test_a_query_that_cannot_be_answered_says_why(self, refreshed: Warehouse, sql: str) -> None:
        done = refreshed.run("pipelines", "query", sql, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("QueryFailed: ")
        assert "Traceback" not in done.stderr

    def test_as_of_judges_the_shop_in_an_earlier_time(self, warehouse: Warehouse) -> None:
        warehouse.refresh("--as-of", "2010-03-31")
        assert warehouse.pointer()["as_of"].startswith("2010-03-31T23:59:59")
        [row] = warehouse.query("SELECT max(last_order_at) AS last FROM marts.dim_customers WHERE orders > 0")
        assert row["last"] < "2010-04-01"

    def test_a_senseless_time_is_refused(self, refreshed: Warehouse) -> None:
        done = refreshed.refresh("--as-of", "yesterday", check=False)
        assert done.returncode == 1
        assert "no ISO 8601 time" in done.stderr

    def test_a_second_refresh_says_what_it_published_and_can_be_taken_back(self, warehouse: Warehouse) -> None:
        first, figures = warehouse.pointer()["build_id"], _mart_rows(warehouse)
        done = warehouse.refresh("--reconcile")
        second = warehouse.pointer()["build_id"]
        assert done.stdout.splitlines()[-1].startswith(f"Published {second}")
        assert f"published {second}" in done.stderr.splitlines()[-1]
        assert _mart_rows(warehouse) == figures
        assert first in warehouse.run("pipelines", "rollback").stdout
        assert warehouse.pointer()["build_id"] == first

    def test_other_models_than_last_time_make_every_table_anew(self, warehouse: Warehouse) -> None:
        """A table that is only added to would keep the columns that an older project gave it."""
        figures = _mart_rows(warehouse)
        with attached(warehouse.settings.builds / f"{warehouse.pointer()['build_id']}.duckdb") as build:
            build.execute("ALTER TABLE marts.fct_orders DROP COLUMN occasion")
            build.execute("UPDATE raw_ops.dbt_project SET fingerprint = 'of an older project'")
        done = warehouse.refresh()
        assert "every table anew: the models changed" in done.stderr
        assert _mart_rows(warehouse) == figures

    def test_a_shop_that_never_traded_is_named(self, tmp_path: Path) -> None:
        empty = Warehouse(tmp_path)
        empty.run("transactional", "migrate")
        done = empty.refresh(check=False)
        assert done.returncode == 1
        assert "has never traded" in done.stderr.splitlines()[-1]
        assert empty.run("pipelines", "status").stdout == "nothing is published yet\n"


class TestAudit:
    def test_a_defect_in_the_source_is_stopped_and_readers_stay(self, warehouse: Warehouse) -> None:
        """Somebody changed a line's net amount behind the shop's back; its order does not add up any more."""
        before, figures = warehouse.pointer(), _mart_rows(warehouse)
        warehouse.damage(
            "UPDATE order_lines SET net_minor = net_minor + 100 WHERE id = (SELECT min(id) FROM order_lines)"
        )
        done = warehouse.refresh(check=False)
        assert done.returncode == 1
        assert "RunFailed" in done.stderr
        assert warehouse.pointer() == before
        assert _mart_rows(warehouse) == figures
        [report] = [json.loads(path.read_text("utf-8")) for path in warehouse.settings.rejected.glob("*.json")]
        assert report["readers_stay_on"] == before["build_id"]
        assert report["failed_checks"]
        assert "rejected" in warehouse.run("pipelines", "status").stdout
        [alert] = [json.loads(line) for line in warehouse.settings.alerts.read_text("utf-8").splitlines()]
        assert alert["last_good_build"] == before["build_id"]

        warehouse.damage(
            "UPDATE order_lines SET net_minor = net_minor - 100 WHERE id = (SELECT min(id) FROM order_lines)"
        )
        warehouse.refresh()
        assert warehouse.pointer()["parent"] == before["build_id"]
        assert _mart_rows(warehouse) == figures

    def test_losing_most_of_the_orders_is_no_ordinary_day(self, warehouse: Warehouse) -> None:
        before = warehouse.pointer()
        kept = "(SELECT id FROM orders ORDER BY id LIMIT 5)"
        children = ("order_status_changes", "order_lines")
        warehouse.damage(
            "DELETE FROM stock_movements",
            "DELETE FROM return_lines",
            "DELETE FROM refunds",
            "DELETE FROM returns",
            "DELETE FROM order_credits",
            "DELETE FROM ledger_postings",
            "DELETE FROM ledger_transactions",
            "DELETE FROM payments",  # all of them: the books that are left close
            *(f"DELETE FROM {table} WHERE order_id NOT IN {kept}" for table in children),
            f"DELETE FROM orders WHERE id NOT IN {kept}",
        )
        done = warehouse.refresh(check=False)
        assert done.returncode == 1
        assert "row_count_drift" in done.stderr
        assert warehouse.pointer() == before


def test_a_refresh_killed_at_every_stage_leaves_no_trace(fresh_copy: Callable[[str], Warehouse]) -> None:
    """Readers stay where they are throughout, and the run that is let through ends as if no other had ever begun."""
    killed, undisturbed = fresh_copy("killed"), fresh_copy("undisturbed")
    for warehouse in (killed, undisturbed):
        warehouse.damage("UPDATE customers SET country = 'Rohan' WHERE id = (SELECT min(id) FROM customers)")
    before, figures = killed.pointer(), _mart_rows(killed)
    for point in KILLED_AT:
        done = killed.refresh(check=False, **{VARIABLE: point})
        assert done.returncode == -signal.SIGKILL, f"{point} was not reached:\n{done.stdout}{done.stderr}"
        assert killed.pointer() == before, point
        assert _mart_rows(killed) == figures, point
    killed.refresh()
    undisturbed.refresh()
    assert _mart_rows(killed) == _mart_rows(undisturbed)
    assert _mart_rows(killed) != figures


def test_nothing_is_written_outside_of_var(refreshed: Warehouse) -> None:
    from pipelines.settings import ROOT

    assert not (ROOT / "dbt" / "target").exists()
    assert not (ROOT / "dbt" / "logs").exists()
    assert os.path.isdir(refreshed.settings.dbt_target / "target")
