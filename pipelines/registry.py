"""MLflow as the house uses it: one store, one run a training, versions whose `champion` alias the gate hands out.

A small layer of our own, because Dagster's does not support this MLflow.
"""

import contextlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import polars as pl
from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from models_ml import artifacts
from models_ml.training.result import TrainingResult
from pipelines.progress import say
from pipelines.settings import Settings

ALIAS = "champion"
EXPERIMENT = "my-little-things"
MODEL_FOLDER = "model"
METRICS_FILE = "metrics.json"
VERSIONS_SHOWN = 20
"""Of each model, the latest; older ones stay in MLflow."""
_PARAMETER_LENGTH = 500


@dataclass(frozen=True, slots=True)
class DataVersion:
    """Which published figures a model was trained on."""

    build_id: str
    sha256: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """A training as it stands in the registry; `version` is None where nothing was trained."""

    name: str
    run_id: str
    version: str | None
    promoted: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Champion:
    """The model that answers now."""

    name: str
    version: str
    model: Any


class Registry:
    """The store under `var/mlflow`, made once under a lock: processes that create it together would break it."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.mlflow
        self._folder.mkdir(parents=True, exist_ok=True)
        self._uri = settings.mlflow_uri
        with FileLock(self._folder / ".init.lock"):
            self._client = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
            self._experiment = self._ensure_experiment()

    def champion(self, name: str) -> Champion | None:
        """The champion of a name, loaded; None where there is none, or none that this version of the code can read.

        A champion that cannot be read is no reason to publish nothing: it is named, and the next training replaces it.
        """
        version = self._champion_version(name)
        if version is None:
            return None
        try:
            model = artifacts.load(self._artifact_folder(version))
        except artifacts.ArtifactError as error:
            say("models", f"{name} {version.version}, the champion, cannot be used: {error}")
            return None
        return Champion(name, str(version.version), model)

    def record(self, result: TrainingResult, data: DataVersion, *, now: datetime) -> Recorded:
        """Log a training with its data, parameters, figures and plots; register and, through the gate, promote."""
        decision = result.decision()
        run_id = self._start_run(result, data, promoted=decision.promote, reasons=decision.reasons, now=now)
        version = self._register(result, result.model, run_id, decision.reasons) if result.model is not None else None
        if version is not None and decision.promote:
            self._client.set_registered_model_alias(result.name, ALIAS, version)
        self._client.set_terminated(run_id, "FINISHED")
        return Recorded(result.name, run_id, version, version is not None and decision.promote, decision.reasons)

    def figures(self) -> pl.DataFrame:
        """The versions' metrics with their intervals, in the columns of `raw_ml.model_metrics`.

        Figures of other candidates on the same hold-out are named "<metric> of <candidate>"; they are no champion's.
        """
        rows: list[dict[str, Any]] = []
        for model in self._client.search_registered_models(max_results=100):
            champion = self._champion_version(model.name)
            for version in self._latest_versions(model.name):
                is_champion = champion is not None and champion.version == version.version
                rows.extend(self._figures_of(version, is_champion=is_champion))
        return pl.DataFrame(rows, schema=_FIGURES_SCHEMA)

    def _ensure_experiment(self) -> str:
        known = self._client.get_experiment_by_name(EXPERIMENT)
        if known is not None:
            return str(known.experiment_id)
        return str(self._client.create_experiment(EXPERIMENT, (self._folder / "artifacts").as_uri()))

    def _champion_version(self, name: str) -> ModelVersion | None:
        try:
            return self._client.get_model_version_by_alias(name, ALIAS)
        except MlflowException:
            return None

    def _latest_versions(self, name: str) -> list[ModelVersion]:
        found = self._client.search_model_versions(
            f"name='{name}'", max_results=VERSIONS_SHOWN, order_by=["version_number DESC"]
        )
        return list(found)

    def _artifact_folder(self, version: ModelVersion) -> Path:
        uri = self._client.get_model_version_download_uri(version.name, version.version)
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, tracking_uri=self._uri))

    def _start_run(
        self, result: TrainingResult, data: DataVersion, *, promoted: bool, reasons: tuple[str, ...], now: datetime
    ) -> str:
        run = self._client.create_run(self._experiment, run_name=f"{result.name} {data.build_id}")
        run_id = str(run.info.run_id)
        stamp = int(now.timestamp() * 1000)
        tags = {
            "model": result.name,
            "data.build_id": data.build_id,
            "data.sha256": data.sha256,
            "data.as_of": data.as_of.isoformat(),
            "data.through": result.data_through.isoformat(),
            "gate.promoted": str(promoted).lower(),
            "gate.reasons": " | ".join(reasons),
            "note": result.note,
        }
        self._client.log_batch(
            run_id,
            metrics=[Metric(key, value, stamp, 0) for key, value in _numbers(result).items()],
            params=[Param(key, str(value)[:_PARAMETER_LENGTH]) for key, value in result.params.items()],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )
        for name, figure in result.plots.items():
            self._client.log_figure(run_id, figure, f"plots/{name}.png")
        content = {"trained_at": now.isoformat(), "metrics": [asdict(metric) for metric in result.metrics]}
        self._client.log_dict(run_id, content, METRICS_FILE)
        return run_id

    def _register(self, result: TrainingResult, model: artifacts.Model, run_id: str, reasons: tuple[str, ...]) -> str:
        with tempfile.TemporaryDirectory(prefix="model-") as folder:
            saved = artifacts.save(model, Path(folder) / MODEL_FOLDER)
            self._client.log_artifacts(run_id, str(saved), MODEL_FOLDER)
        with contextlib.suppress(MlflowException):  # it has been registered before
            self._client.create_registered_model(result.name)
        source = f"{self._client.get_run(run_id).info.artifact_uri}/{MODEL_FOLDER}"
        tags = {"data_through": result.data_through.isoformat(), "gate": " | ".join(reasons)}
        made = self._client.create_model_version(result.name, source, run_id, tags=tags)
        return str(made.version)

    def _figures_of(self, version: ModelVersion, *, is_champion: bool) -> list[dict[str, Any]]:
        path = self._client.download_artifacts(str(version.run_id), METRICS_FILE)
        content = json.loads(Path(path).read_text("utf-8"))
        through = datetime.fromisoformat(version.tags["data_through"])
        trained_at = datetime.fromisoformat(content["trained_at"])
        return [
            {
                "model": version.name,
                "version": str(version.version),
                "metric": f"{metric['name']} of {metric['model']}" if metric["model"] else metric["name"],
                "slice": metric["slice"],
                "value": metric["value"],
                "low": metric["low"],
                "high": metric["high"],
                "n": metric["n"],
                "trained_at": trained_at.astimezone(UTC).replace(tzinfo=None),
                "data_through": through,
                "is_champion": is_champion and not metric["model"],
            }
            for metric in content["metrics"]
        ]


_FIGURES_SCHEMA: Mapping[str, Any] = {
    "model": pl.String,
    "version": pl.String,
    "metric": pl.String,
    "slice": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "trained_at": pl.Datetime("us"),
    "data_through": pl.Datetime("us"),
    "is_champion": pl.Boolean,
}


def _numbers(result: TrainingResult) -> dict[str, float]:
    """The figures under names that MLflow allows; interval bounds beside their figure."""
    numbers = {}
    for metric in result.metrics:
        parts = (metric.model, metric.name, "" if metric.slice == "all" else metric.slice)
        name = "".join(c if c.isalnum() or c in "_-./ " else "_" for c in "/".join(part for part in parts if part))
        for suffix, value in (("", metric.value), (".low", metric.low), (".high", metric.high)):
            if value is not None:
                numbers[name + suffix] = float(value)
    return numbers
