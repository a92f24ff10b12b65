"""The Great Expectations suites: each passes on sound figures and names what is wrong with unsound ones."""

from pathlib import Path

import duckdb
import pytest

from pipelines.audits import suites
from pipelines.audits.suites import Outcome

PERIODS = """
    SELECT 'month' AS period_grain, 3 AS orders, 1 AS new_customers, 1 AS returning_customers, 2 AS customers,
    5 AS units, 10.10::DECIMAL(18,2) AS gross_merchandise, 0.10::DECIMAL(18,2) AS discounts,
    1.00::DECIMAL(18,2) AS returned_amount,
    9.00::DECIMAL(18,2) AS net_merchandise
"""
RFM = """
    SELECT 1 AS customer_id, 3 AS recency_days, 2 AS frequency, 5 AS r_score, 1 AS f_score, 3 AS m_score,
    'champions' AS rfm_segment
    UNION ALL SELECT 2, NULL, 0, NULL, NULL, NULL, 'prospects'
"""


def _outcomes(mart: str, sql: str, change: str = "SELECT 1") -> dict[str, Outcome]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute(f"CREATE TABLE marts.{mart} AS {sql}")
        connection.execute(change)
        suite = suites.load()[mart]
        return {found.expectation.name: found for found in suites.validate(suite, suites.frame(connection, suite))}


def _failed(outcomes: dict[str, Outcome]) -> set[str]:
    return {name for name, outcome in outcomes.items() if not outcome.passed}


def test_every_suite_says_why_and_is_small_enough() -> None:
    for path in Path(suites.FOLDER).glob("*.yml"):
        suite = suites.load()[path.stem]
        names = [expectation.name for expectation in suite.expectations]
        assert len(set(names)) == len(names) <= 50
        assert all(expectation.why for expectation in suite.expectations)


@pytest.mark.slow
class TestOnFigures:
    def test_sound_figures_pass(self) -> None:
        assert _failed(_outcomes("sales_by_period", PERIODS)) == set()
        assert _failed(_outcomes("customer_rfm", RFM)) == set()

    def test_decimals_become_whole_hundredths(self) -> None:
        suite = suites.load()["sales_by_period"]
        with duckdb.connect(":memory:") as connection:
            connection.execute("CREATE SCHEMA marts")
            connection.execute(f"CREATE TABLE marts.sales_by_period AS {PERIODS}")
            rows = suites.frame(connection, suite)
        assert rows["gross_merchandise"].tolist() == [1010]
        assert rows["net_gap"].tolist() == [0]

    @pytest.mark.parametrize(
        ("change", "failed"),
        [
            ("UPDATE marts.sales_by_period SET net_merchandise = 9.01", {"net_adds_up"}),
            ("UPDATE marts.sales_by_period SET period_grain = 'fortnight'", {"grains_are_known"}),
            ("UPDATE marts.sales_by_period SET orders = -1", {"orders_are_counted"}),
            ("DELETE FROM marts.sales_by_period", {"has_periods"}),
        ],
    )
    def test_a_defect_of_sales_is_named(self, change: str, failed: set[str]) -> None:
        assert _failed(_outcomes("sales_by_period", PERIODS, change)) == failed

    @pytest.mark.parametrize(
        ("change", "failed"),
        [
            (
                "INSERT INTO marts.customer_rfm SELECT * FROM marts.customer_rfm WHERE customer_id = 1",
                {"one_row_a_customer"},
            ),
            ("UPDATE marts.customer_rfm SET rfm_segment = 'vip' WHERE customer_id = 1", {"groups_are_the_eleven"}),
            ("UPDATE marts.customer_rfm SET r_score = 6 WHERE customer_id = 1", {"recency_scores"}),
            ("UPDATE marts.customer_rfm SET recency_days = -1 WHERE customer_id = 1", {"recency_is_in_the_past"}),
        ],
    )
    def test_a_defect_of_groups_is_named(self, change: str, failed: set[str]) -> None:
        outcomes = _outcomes("customer_rfm", RFM, change)
        assert _failed(outcomes) == failed
        [name] = failed
        assert outcomes[name].unexpected > 0
        assert outcomes[name].observed
