"""The main job, end to end, as a newcomer runs it, behind a guard that sees every connection."""

import json

import pytest

from tests.support.house import House

JUDGED = "SELECT model, bool_or(is_champion) AS promoted FROM marts.model_performance GROUP BY model"


@pytest.fixture(params=["house", "simulated_house"])
def any_house(request: pytest.FixtureRequest) -> House:
    chosen: House = request.getfixturevalue(request.param)
    return chosen


@pytest.mark.slow
@pytest.mark.xdist_group("house")
class TestMainJob:
    def test_nothing_leaves_this_machine(self, any_house: House) -> None:
        seen = any_house.guard_log.read_text(encoding="utf-8") if any_house.guard_log.exists() else ""
        assert seen == ""

    def test_the_summary_is_whole(self, any_house: House) -> None:
        summary = any_house.summary
        for part in ("months", "rfm_groups", "champions", "best_sellers"):
            assert summary[part], f"{part} is empty"
        for row in summary["champions"]:
            assert row["low"] <= row["value"] <= row["high"]

    def test_a_real_history_gives_every_model_its_champion(self, house: House) -> None:
        models = {row["model"] for row in house.summary["champions"]}
        assert models >= {"lifetime_value", "churn", "discover", "buy_again", "bought_together", "popularity"}
        assert house.summary["top_customers"]

    def test_a_small_shop_has_only_champions_that_passed_the_gate(self, simulated_house: House) -> None:
        champions = {row["model"] for row in simulated_house.summary["champions"]}
        judged = json.loads(simulated_house.run("pipelines", "query", JUDGED, "--format", "json").stdout)
        refused = {row["model"] for row in judged if not row["promoted"]}
        assert champions, "of a small shop some models are good enough"
        assert refused, "and some are not"
        assert not champions & refused
        printed = simulated_house.run("pipelines", "status").stdout
        assert simulated_house.summary["recommendations"]["build_id"] in printed

    def test_recommendations_say_where_they_come_from_and_why(self, any_house: House) -> None:
        answer = any_house.summary["recommendations"]
        assert answer["build_id"]
        items = [item for shelf in answer["shelves"] for item in shelf["items"]]
        assert items
        assert all(item["reason"] for item in items)

    def test_months_sum_to_the_total(self, any_house: House) -> None:
        summary = any_house.summary
        total = sum(round(float(row["net_merchandise"]) * 100) for row in summary["months"])
        assert total == round(float(summary["totals"][0]["net_merchandise"]) * 100)

    def test_a_second_refresh_without_news_publishes_the_same_figures(self, simulated_house: House) -> None:
        before = simulated_house.run("pipelines", "query", "SELECT * FROM marts.sales_by_period ORDER BY ALL").stdout
        done = simulated_house.run("pipelines", "refresh")
        assert "published" in (done.stdout + done.stderr).splitlines()[-1].lower()
        after = simulated_house.run("pipelines", "query", "SELECT * FROM marts.sales_by_period ORDER BY ALL").stdout
        assert after == before
