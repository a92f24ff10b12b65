"""Models through MLflow: recorded with data, figures and plots; promoted only through the gate; asked again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models_ml.training.discover import train_discover
from models_ml.training.result import TrainingResult
from models_ml.training.shelves import train_popularity
from pipelines.registry import DataVersion, Registry
from pipelines.settings import Settings
from pipelines.trainers import TRAINERS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mlflow")]

AS_OF = datetime(2026, 1, 1)  # noqa: DTZ001 - models take UTC without zone
NOW = datetime(2026, 1, 2, tzinfo=UTC)
DATA = DataVersion("20260101T000000Z-00000000", "0" * 64, datetime(2026, 1, 1, tzinfo=UTC))


def _lines(customers: int = 300, days: int = 400) -> pl.DataFrame:
    """Order lines in which some products sell far better than others, and the fashion changes."""
    rng = np.random.default_rng(1)
    n = customers * 10
    moments = np.sort(rng.uniform(0, days, n))
    products = (rng.zipf(1.5, n) % 50 + (moments // 200).astype(int) * 5).astype(np.int64)
    return pl.DataFrame(
        {
            "order_id": np.arange(n, dtype=np.int64),
            "customer_id": rng.integers(1, customers, n),
            "product_id": products,
            "placed_at": [AS_OF - timedelta(days=days) + timedelta(days=float(moment)) for moment in moments],
        },
        schema_overrides={"placed_at": pl.Datetime("us")},
    )


@pytest.fixture(scope="module")
def trained() -> TrainingResult:
    result = train_popularity(_lines(), AS_OF)
    assert result.model is not None, result.note
    return result


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(Settings(tmp_path / "var", "sqlite://"))


def test_names_of_assets_and_trainers_agree() -> None:
    from pipelines.assets.training import NAMES

    assert set(NAMES) == set(TRAINERS)


def test_a_first_model_that_beats_the_floor_becomes_champion(registry: Registry, trained: TrainingResult) -> None:
    recorded = registry.record(trained, DATA, now=NOW)
    assert (recorded.version, recorded.promoted) == ("1", trained.decision().promote)
    champion = registry.champion("popularity")
    assert (champion is not None) is recorded.promoted
    assert registry.champion("discover") is None


def test_a_loser_is_kept_but_not_promoted(registry: Registry, trained: TrainingResult) -> None:
    registry.record(trained, DATA, now=NOW)
    before = registry.champion("popularity")
    again = train_popularity(_lines(), AS_OF, before.model if before else None)
    recorded = registry.record(again, DATA, now=NOW)
    assert recorded.version == "2"
    assert not recorded.promoted
    assert recorded.reasons
    after = registry.champion("popularity")
    assert (after.version if after else None) == (before.version if before else None)


def test_too_little_data_is_recorded_without_a_version(registry: Registry) -> None:
    result = train_discover(_lines().head(5), AS_OF)
    recorded = registry.record(result, DATA, now=NOW)
    assert (recorded.version, recorded.promoted) == (None, False)
    assert "not enough data" in recorded.reasons[0]
    assert registry.figures().is_empty()


def test_figures_carry_intervals_and_whose_they_are(registry: Registry, trained: TrainingResult) -> None:
    registry.record(trained, DATA, now=NOW)
    figures = registry.figures()
    assert figures.height == len(trained.metrics)
    own = {metric.name for metric in trained.own_metrics}
    champions = figures.filter(pl.col("is_champion"))
    if trained.decision().promote:
        assert set(champions["metric"]) == own
    assert figures["trained_at"].unique().to_list() == [NOW.replace(tzinfo=None)]
    assert figures["data_through"].unique().to_list() == [AS_OF]


def test_a_run_keeps_data_version_and_plots(registry: Registry, trained: TrainingResult, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    recorded = registry.record(trained, DATA, now=NOW)
    client = MlflowClient(tracking_uri=Settings(tmp_path / "var", "sqlite://").mlflow_uri)
    run = client.get_run(recorded.run_id)
    assert run.data.tags["data.build_id"] == DATA.build_id
    assert run.info.status == "FINISHED"
    names = {entry.path for entry in client.list_artifacts(recorded.run_id)}
    assert {"model", "metrics.json"} <= names
    plots = {entry.path for entry in client.list_artifacts(recorded.run_id, "plots")}
    assert plots == {f"plots/{name}.png" for name in trained.plots}


def test_two_that_open_a_fresh_store_at_once_do_not_break_it(tmp_path: Path) -> None:
    import subprocess
    import sys

    from pipelines.settings import ROOT

    code = (
        "from pipelines.registry import Registry; from pipelines.settings import from_environment as f; Registry(f())"
    )
    env = {"MLT_VAR": str(tmp_path / "var"), "PATH": ""}
    started = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=env, stderr=subprocess.PIPE) for _ in range(2)
    ]
    outcomes = [process.communicate()[1].decode()[-500:] if process.wait() else "" for process in started]
    assert outcomes == ["", ""]
