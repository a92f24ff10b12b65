"""Models from the published figures: trained, judged on a hold-out, and promoted only through the gate."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from pipelines import faults, pointer
from pipelines.assets.common import SNAPSHOT
from pipelines.duck import attached
from pipelines.progress import say
from pipelines.settings import from_environment

NAMES = ("lifetime_value", "churn", "discover", "buy_again", "bought_together", "similar", "popularity")
POOL = "training"
"""Fits use every core there is; one at a time."""


def _model_asset(name: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["models", name],
        deps=[SNAPSHOT],
        group_name="models",
        pool=POOL,
        kinds={"mlflow"},
        description=f"The registered model `{name}`; its champion answers until a better one passes the gate.",
    )
    def train() -> dg.MaterializeResult[None]:
        return _train(name)

    return train


def _train(name: str) -> dg.MaterializeResult[None]:
    from pipelines.features import Marts  # noqa: PLC0415
    from pipelines.registry import DataVersion, Registry  # noqa: PLC0415 - MLflow and SciPy take seconds to import
    from pipelines.trainers import TRAINERS  # noqa: PLC0415

    settings = from_environment()
    card = pointer.require_current(settings.published)
    registry = Registry(settings)
    champion = registry.champion(name)
    with attached(settings.published / card.path, read_only=True) as snapshot:
        marts = Marts(snapshot)
        result = TRAINERS[name](marts, marts.cut_off(), champion.model if champion else None)
    data = DataVersion(card.build_id, card.sha256, card.as_of)
    recorded = registry.record(result, data, now=datetime.now(UTC))
    faults.reach(f"after_training:{name}")
    verdict = "champion" if recorded.promoted else "not promoted"
    say("train", f"{name}: {f'version {recorded.version}, {verdict}' if recorded.version else 'not trained'}")
    for reason in recorded.reasons:
        say("train", f"  {reason}")
    return dg.MaterializeResult(metadata=dict(_metadata(recorded.run_id, recorded.version, recorded.promoted, result)))


def _metadata(run_id: str, version: str | None, promoted: bool, result: object) -> Iterator[tuple[str, str]]:
    yield "mlflow_run", run_id
    yield "version", version or "none"
    yield "promoted", str(promoted)
    for metric in getattr(result, "own_metrics", ()):
        interval = "" if metric.low is None else f" [{metric.low:.4f}, {metric.high:.4f}]"
        yield f"{metric.name} ({metric.slice})", f"{metric.value:.4f}{interval}"


MODELS = [_model_asset(name) for name in NAMES]
