"""BG/NBD on many customers: fit and prediction, against the cost of grouping the same customers once."""

from typing import Any

import numpy as np
import polars as pl

from benchmarks.measure import timed
from models_ml.lifetime.bgnbd import BgNbd
from models_ml.lifetime.summary import PurchaseCounts

# The published fit of the CDNOW sample (Fader, Hardie and Lee 2005), in weeks.
_R, _ALPHA, _A, _B = 0.243, 4.414, 0.793, 2.426
_WEEKS = 78


def simulated_summary(customers: int, seed: int) -> pl.DataFrame:
    """Customers who buy as the model says: x, t_x and T in whole days."""
    rng = np.random.default_rng(seed)
    age = rng.integers(7, _WEEKS * 7, customers)
    rate = rng.gamma(_R, 1 / _ALPHA, customers) / 7
    dropout = rng.beta(_A, _B, customers)
    alive_until_order = rng.geometric(np.clip(dropout, 1e-9, 1.0))
    x = np.zeros(customers, dtype=np.int64)
    t_x = np.zeros(customers)
    clock = np.zeros(customers)
    active = np.ones(customers, dtype=bool)
    for order in range(1, 400):
        clock[active] += rng.exponential(1 / np.maximum(rate[active], 1e-12))
        active &= (clock <= age) & (alive_until_order >= order)
        if not active.any():
            break
        x[active] += 1
        t_x[active] = np.ceil(clock[active])
    return pl.DataFrame({"x": x, "t_x": np.minimum(t_x, age).astype(np.int64), "T": age})


def run(customers: int = 1_000_000, seed: int = 1) -> dict[str, Any]:
    """Seconds of grouping, fitting and predicting, and the parameters found beside the true ones."""
    summary = simulated_summary(customers, seed)
    group_seconds, counts = timed(lambda: PurchaseCounts.from_summary(summary))
    fit_seconds, model = timed(lambda: BgNbd.fit(counts))
    x, t_x, age = (summary[name].to_numpy() / (1 if name == "x" else 7) for name in ("x", "t_x", "T"))
    predict_seconds, _ = timed(lambda: model.expected_orders(x, t_x, age, 365 / 7))
    return {
        "customers": customers,
        "group_seconds": round(group_seconds, 3),
        "fit_seconds": round(fit_seconds, 3),
        "fit_with_grouping_seconds": round(group_seconds + fit_seconds, 3),
        "fit_to_group_ratio": round(fit_seconds / group_seconds, 2),
        "predict_seconds": round(predict_seconds, 3),
        "parameters": dict(zip(("r", "alpha", "a", "b"), map(float, model.parameters), strict=True)),
        "true_parameters": {"r": _R, "alpha": _ALPHA, "a": _A, "b": _B},
    }
