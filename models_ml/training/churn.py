"""Training churn: methods compared on rolling origins, the best one judged on the last 90 days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from models_ml.arrays import BoolArray, FloatArray, Json
from models_ml.artifacts import Model
from models_ml.churn.features import HORIZON_DAYS, churn_features, churn_labels
from models_ml.churn.model import DEFAULT_SETTINGS, ChurnModel
from models_ml.evaluation import metrics as figures
from models_ml.evaluation.bootstrap import Replicates, gain, resample
from models_ml.evaluation.estimate import Metric
from models_ml.evaluation.gate import Trial
from models_ml.evaluation.plots import calibration_plot, interval_plot
from models_ml.lifetime.fitting import ConvergenceError
from models_ml.lifetime.summary import checked_purchases
from models_ml.lifetime.value import NotEnoughDataError
from models_ml.threads import one_blas_thread
from models_ml.training.result import TrainingResult

NAME = "churn"
_PRIMARY = "brier"
_FLOOR = "recency"
_CANDIDATES = ("behaviour", "bgnbd")
_ROLLING = 3
_STEP = timedelta(days=30)
_HORIZON = timedelta(days=HORIZON_DAYS)
_REPEATS = 500
_MOST_CUSTOMERS = 20_000


@one_blas_thread()
def train_churn(
    purchases: pl.DataFrame,
    as_of: datetime,
    champion: Model | None = None,
    settings: Mapping[str, Json] | None = None,
) -> TrainingResult:
    """Train churn on orders placed before `as_of`.

    `purchases`: customer_id, order_id, placed_at, net_merchandise, one row an order. The predictions frame
    holds customer_id, churn_probability, risk_band and main_reasons of everybody with an order in the last
    365 days. The gate's figure is the Brier score in the last 90 days, the floor a logistic regression on
    recency alone. Without any past window to learn from, the probabilities are those of BG/NBD, and the note
    says so; below that model's minimum too they are null.
    """
    chosen: dict[str, Json] = {**DEFAULT_SETTINGS, **(settings or {})}
    known = checked_purchases(purchases, as_of)
    origin = as_of - _HORIZON
    method = _best_method(known, origin, chosen)
    recipe: dict[str, Json] = {**chosen, "method": method}
    try:
        model = ChurnModel.fit(known, as_of, recipe)
    except (NotEnoughDataError, ConvergenceError) as error:
        return TrainingResult(NAME, as_of, predictions=_unknown(known, as_of), note=str(error))
    held = _HoldOut.of(known, origin, recipe, champion)
    return TrainingResult(
        name=NAME,
        data_through=as_of,
        model=model,
        params=_parameters(model),
        metrics=() if held is None else (*held.metrics(), *_rolling(known, origin, recipe)),
        plots={} if held is None else held.plots(method),
        trial=None if held is None else held.trial(model, champion),
        predictions=model.predict(known, as_of),
        note=_note(model, held is not None),
    )


class _HoldOut:
    """Probabilities of all methods for the customers at one origin, and what they did in the 90 days after
    it."""

    def __init__(self, probabilities: dict[str, FloatArray], churned: BoolArray) -> None:
        self._probabilities, self._churned = probabilities, churned
        self._found = {name: _replicates(p, churned) for name, p in probabilities.items()}

    @classmethod
    def of(
        cls,
        known: pl.DataFrame,
        origin: datetime,
        recipe: dict[str, Json],
        champion: Model | None,
        *,
        rivals: tuple[str, ...] = (*_CANDIDATES, _FLOOR),
    ) -> _HoldOut | None:
        """Fit the chosen recipe (named ""), its rivals and the champion's at `origin`.

        None where not even the floor has data.
        """
        recipes: dict[str, dict[str, Json]] = {"": recipe}
        recipes.update({m: {**recipe, "method": m} for m in rivals if m != recipe["method"]})
        if isinstance(champion, ChurnModel):
            recipes["champion"] = champion.settings
        fitted = {name: _fit(known, origin, one) for name, one in recipes.items()}
        if fitted[""] is None or fitted[_FLOOR] is None:
            return None
        features = _sample(churn_features(known, origin))
        churned = churn_labels(known, features, origin)
        if churned.all() or not churned.any():
            return None
        probabilities = {
            name: model.probabilities(known, origin, features) for name, model in fitted.items() if model is not None
        }
        return cls(probabilities, churned)

    def metrics(self) -> tuple[Metric, ...]:
        """Brier, AUC, calibration slope, mean probability of each method, and how many did churn."""
        rate = Metric("churn_rate", float(self._churned.mean()), n=len(self._churned), model="observed")
        listed = [one.metric(f, model=name) for name, part in self._found.items() for f, one in part.items()]
        return (*listed, rate)

    def plots(self, method: str) -> dict[str, Figure]:
        """Calibration of the chosen method and the comparison of all."""
        compared = [metric for metric in self.metrics() if metric.name == _PRIMARY]
        return {
            "calibration": calibration_plot(self._probabilities[""], self._churned, "No order in 90 days"),
            "candidates": interval_plot(compared, "Brier score on the hold-out (lower is better)", method),
        }

    def trial(self, model: ChurnModel, champion: Model | None) -> Trial:
        """For the gate."""
        mine, floor = self._found[""][_PRIMARY], self._found[_FLOOR][_PRIMARY]
        old = self._found["champion"][_PRIMARY] if "champion" in self._found else None
        through = None if champion is None else champion.data_through
        return Trial(
            challenger=mine.metric(_PRIMARY),
            higher_is_better=False,
            floor=floor.metric(_PRIMARY),
            gain_over_floor=gain(mine, floor, _PRIMARY, higher_is_better=False),
            champion=None if old is None else old.metric(_PRIMARY),
            gain_over_champion=None if old is None else gain(mine, old, _PRIMARY, higher_is_better=False),
            same_recipe=champion is not None and champion.settings == model.settings,
            newer_data=through is None or (model.data_through is not None and through < model.data_through),
        )


def _best_method(known: pl.DataFrame, origin: datetime, settings: dict[str, Json]) -> str:
    """The method that ranks best (AUC) over origins whose windows ended before the hold-out; else
    "behaviour".

    Not by Brier score: between neighbouring origins that is ruled by how far the season moved the level,
    which misses either method alike and says little about which of them to trust.
    """
    scores: dict[str, list[float]] = {method: [] for method in _CANDIDATES}
    for step in range(_ROLLING):
        before = origin - _HORIZON - _STEP * step
        fitted = {m: _fit(known, before, {**settings, "method": m}) for m in _CANDIDATES}
        features = _sample(churn_features(known, before))
        churned = churn_labels(checked_purchases(known, origin), features, before)
        for method, model in fitted.items():
            if model is not None and all(fitted.values()):
                probability = model.probabilities(known, before, features)
                scores[method].append(figures.auc(probability, churned))
    return max(_CANDIDATES, key=lambda method: sum(scores[method]))


def _rolling(known: pl.DataFrame, origin: datetime, recipe: dict[str, Json]) -> list[Metric]:
    """The chosen recipe at earlier origins, each fitted on what was known then."""
    listed: list[Metric] = []
    for step in range(1, _ROLLING + 1):
        earlier = origin - _STEP * step
        held = _HoldOut.of(known, earlier, recipe, None, rivals=(_FLOOR,))
        if held is not None:
            when = f"origin_{earlier:%Y_%m_%d}"
            own = (m for m in held.metrics() if not m.model)
            listed.extend(Metric(m.name, m.value, m.low, m.high, m.n, when) for m in own)
    return listed


def _fit(known: pl.DataFrame, until: datetime, settings: dict[str, Json]) -> ChurnModel | None:
    try:
        return ChurnModel.fit(known, until, settings)
    except (NotEnoughDataError, ConvergenceError):
        return None


def _replicates(probability: FloatArray, churned: BoolArray) -> dict[str, Replicates]:
    return resample(
        {
            _PRIMARY: lambda i: figures.brier(probability[i], churned[i]),
            "auc": lambda i: figures.auc(probability[i], churned[i]),
            "calibration_slope": lambda i: figures.calibration_slope(probability[i], churned[i]),
            "mean_probability": lambda i: float(probability[i].mean()),
        },
        len(churned),
        repeats=_REPEATS,
    )


def _parameters(model: ChurnModel) -> dict[str, Json]:
    season: Json = "unknown" if model.season_shift is None else model.season_shift
    return {
        **model.settings,
        "intercept": model.intercept,
        "season_shift": season,
        "coefficients": model.coefficients.tolist(),
    }


def _note(model: ChurnModel, judged: bool) -> str:
    notes = []
    if not judged:
        notes.append("no hold-out: the history is too short to judge the model")
    if model.season_shift is None:
        notes.append("season unknown: less than 18 months of history")
    return "; ".join(notes)


def _unknown(known: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    return churn_features(known, as_of).select(
        "customer_id",
        pl.lit(None, dtype=pl.Float64).alias("churn_probability"),
        pl.lit("unknown").alias("risk_band"),
        pl.lit(["not enough data"], dtype=pl.List(pl.String)).alias("main_reasons"),
    )


def _sample(features: pl.DataFrame) -> pl.DataFrame:
    if features.height <= _MOST_CUSTOMERS:
        return features
    chosen = np.random.default_rng(0).choice(features.height, _MOST_CUSTOMERS, replace=False)
    return features.with_row_index("row").filter(pl.col("row").is_in(chosen)).drop("row")
