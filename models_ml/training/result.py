"""What every training function gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
from matplotlib.figure import Figure

from models_ml.arrays import Json
from models_ml.artifacts import Model
from models_ml.evaluation.estimate import Metric
from models_ml.evaluation.gate import Decision, Trial, decide


@dataclass(frozen=True)
class TrainingResult:
    """A trained model with all that its run should record.

    name          registered model name: lifetime_value, churn, discover, bought_together, buy_again, similar,
                  popularity
    model         the model fitted on all data before `data_through`, or None when there was not enough data
    params        hyper-parameters and fitted parameters worth logging (plain values)
    metrics       figures on the hold-out, with 95 % intervals; `Metric.model` is empty for this model's own
                  and names the candidate or baseline otherwise
    plots         Matplotlib figures by file name without ending (not pyplot's: nothing to close)
    data_through  the cut-off: everything at or after it was ignored
    trial         challenger, champion and floor on the same hold-out, for the gate; None when nothing
                  was trained
    predictions   a frame for the mart (lifetime_value, churn), else None
    note          one sentence for people, such as why nothing was trained
    """

    name: str
    data_through: datetime
    model: Model | None = None
    params: Mapping[str, Json] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    plots: Mapping[str, Figure] = field(default_factory=dict)
    trial: Trial | None = None
    predictions: pl.DataFrame | None = None
    note: str = ""

    @property
    def enough_data(self) -> bool:
        """Whether a model was trained at all."""
        return self.model is not None

    @property
    def own_metrics(self) -> tuple[Metric, ...]:
        """The figures of the trained model itself."""
        return tuple(metric for metric in self.metrics if not metric.model)

    @property
    def baseline_metrics(self) -> tuple[Metric, ...]:
        """The figures of the other candidates and of the floor, on the same hold-out."""
        return tuple(metric for metric in self.metrics if metric.model)

    def decision(self) -> Decision:
        """The gate's verdict; a result without a model is never promoted."""
        if self.trial is None:
            return Decision(False, (self.note or "nothing was trained",))
        return decide(self.trial)
