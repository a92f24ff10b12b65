"""Protocol `cdnow`: the CDNOW data of Fader, Hardie & Lee 2005, calibrated to 1997-09-30, held out for 39
weeks."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from models_ml.arrays import FloatArray
from models_ml.evaluation.protocols.online_retail import InputError
from models_ml.evaluation.protocols.report import Report, described_files
from models_ml.lifetime.bgnbd import BgNbd
from models_ml.lifetime.gamma_gamma import GammaGamma, spend_correlation
from models_ml.lifetime.pareto_nbd import Nbd, ParetoNbd
from models_ml.lifetime.summary import PurchaseCounts, purchase_summary
from models_ml.lifetime.value import history

_CALIBRATION_END = datetime.fromisoformat("1997-09-30T23:59:59")
_HOLDOUT_WEEKS = 39
_POINTS = ((0.0, 0.0, 38.86), (2.0, 30.43, 38.86), (1.0, 1.71, 38.86), (29.0, 38.43, 38.86))
_MOST = 7
_PUBLISHED_SPEND = GammaGamma(6.25, 3.74, 15.44)


def evaluate(paths: list[Path], seed: int = 0) -> Report:
    """Fit the models without prior and report parameters, points, spend and the hold-out by frequency."""
    purchases = pl.concat([_read(path) for path in paths]).with_row_index("order_id")
    summary = purchase_summary(purchases, _CALIBRATION_END)
    counts = PurchaseCounts.from_summary(summary)
    report = Report("cdnow", None, seed, described_files(paths))
    report.counts = {"customers": summary.height, "transactions": purchases.height}
    orders, pareto, nbd = BgNbd.fit(counts), ParetoNbd.fit(counts), Nbd.fit(counts)
    _fits(report, orders, pareto, nbd)
    for x, t_x, T in _POINTS:
        at = f"x={x:g} t_x={t_x:g} T={T:g}"
        report.add_value("points", at, "BG/NBD", "alive", float(orders.probability_alive(x, t_x, T)[0]))
        expected = float(orders.expected_orders(x, t_x, T, _HOLDOUT_WEEKS)[0])
        report.add_value("points", at, "BG/NBD", "orders_39_weeks", expected)
    _spend(report, summary)
    actual = _held_out(purchases, summary)
    weeks = history(summary)
    predicted = {
        "BG/NBD": orders.expected_orders(*weeks, _HOLDOUT_WEEKS),
        "Pareto/NBD": pareto.expected_orders(*weeks, _HOLDOUT_WEEKS),
        "NBD": nbd.expected_orders(weeks[0], weeks[2], _HOLDOUT_WEEKS),
    }
    _holdout(report, weeks[0], actual, predicted)
    _expected_counts(report, orders, weeks)
    return report


def _read(path: Path) -> pl.DataFrame:
    """Columns by blanks: (master id,) customer, yyyymmdd, quantity, dollars; a header line is passed over."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        parts = line.split()
        if not parts or not parts[0].isdigit():
            continue
        try:
            customer, day, _, dollars = parts[-4:]
            rows.append((int(customer), datetime.strptime(day, "%Y%m%d"), float(dollars)))  # noqa: DTZ007
        except ValueError as error:
            raise InputError(f"{path}, line {number}: not a CDNOW purchase: {error}") from error
    if not rows:
        raise InputError(f"{path}: holds no CDNOW purchases")
    frame = pl.DataFrame(rows, schema=["customer_id", "placed_at", "net_merchandise"], orient="row")
    return frame.with_columns(pl.col("placed_at").cast(pl.Datetime("us")))


def _fits(report: Report, orders: BgNbd, pareto: ParetoNbd, nbd: Nbd) -> None:
    fits = {
        "BG/NBD": {"r": orders.r, "alpha": orders.alpha, "a": orders.a, "b": orders.b},
        "Pareto/NBD": {"r": pareto.r, "alpha": pareto.alpha, "s": pareto.s, "beta": pareto.beta},
        "NBD": {"r": nbd.r, "alpha": nbd.alpha},
    }
    fitted: list[tuple[str, BgNbd | ParetoNbd | Nbd]] = [("BG/NBD", orders), ("Pareto/NBD", pareto), ("NBD", nbd)]
    for model, one in fitted:
        for name, value in fits[model].items():
            report.add_value("fit", "all", model, name, value)
        report.add_value("fit", "all", model, "log_likelihood", one.log_likelihood)


def _spend(report: Report, summary: pl.DataFrame) -> None:
    spenders = summary.filter(pl.col("spend_days") > 0)
    days, means = spenders["spend_days"].to_numpy(), spenders["repeat_value"].to_numpy()
    fitted = GammaGamma.fit(days, means)
    figures = {"p": fitted.p, "q": fitted.q, "v": fitted.v, "log_likelihood": fitted.log_likelihood}
    figures["correlation"] = spend_correlation(days, means)
    figures["repeat_buyers"] = float(len(days))
    for name, value in figures.items():
        report.add_value("spend", "all", "Gamma-Gamma", name, value)
    first = summary.sort("customer_id").head(10)
    expected = _PUBLISHED_SPEND.expected_value(first["spend_days"], first["repeat_value"].fill_null(0.0))
    for customer, value in zip(first["customer_id"].to_list(), expected.tolist(), strict=True):
        report.add_value("conditional spend", f"customer {customer}", "Gamma-Gamma, published", "value", value)


def _held_out(purchases: pl.DataFrame, summary: pl.DataFrame) -> FloatArray:
    """Purchase days of each customer in the 39 weeks after the calibration."""
    end = _CALIBRATION_END + timedelta(weeks=_HOLDOUT_WEEKS)
    days = (
        purchases.filter(pl.col("placed_at") > _CALIBRATION_END, pl.col("placed_at") <= end)
        .group_by("customer_id")
        .agg(pl.col("placed_at").dt.date().n_unique().alias("days"))
    )
    joined = summary.join(days, on="customer_id", how="left", maintain_order="left")
    return joined["days"].fill_null(0).to_numpy().astype(np.float64)


def _holdout(report: Report, x: FloatArray, actual: FloatArray, predicted: dict[str, FloatArray]) -> None:
    group = np.minimum(x, _MOST).astype(np.int64)
    customers = np.bincount(group, minlength=_MOST + 1)
    for model, orders in {"actual": actual, **predicted}.items():
        means = np.bincount(group, weights=orders, minlength=_MOST + 1) / np.maximum(customers, 1)
        for frequency in range(_MOST + 1):
            more = "+" if frequency == _MOST else ""
            report.add_value("hold-out", f"x={frequency}{more}", model, "orders", float(means[frequency]))
        report.add_value("hold-out", "all", model, "total", float(orders.sum()))
    for model, orders in predicted.items():
        report.add_value("hold-out", "all", model, "correlation", float(np.corrcoef(orders, actual)[0, 1]))
        report.add_value("hold-out", "all", model, "mse", float(((orders - actual) ** 2).mean()))
        report.add_value("hold-out", "all", model, "mae", float(np.abs(orders - actual).mean()))


def _expected_counts(report: Report, orders: BgNbd, weeks: tuple[FloatArray, FloatArray, FloatArray]) -> None:
    """Customers by frequency, expected and observed, and χ² over x = 0 … 7+."""
    expected = orders.pmf(_MOST - 1, weeks[2]).sum(axis=0)
    expected = np.append(expected, len(weeks[0]) - expected.sum())
    observed = np.bincount(np.minimum(weeks[0], _MOST).astype(np.int64), minlength=_MOST + 1)
    for frequency, value in enumerate(expected.tolist()):
        more = "+" if frequency == _MOST else ""
        report.add_value("frequency", f"x={frequency}{more}", "BG/NBD", "expected", value)
        report.add_value("frequency", f"x={frequency}{more}", "BG/NBD", "observed", float(observed[frequency]))
    chi_square = float(((observed - expected) ** 2 / expected).sum())
    report.add_value("frequency", "all", "BG/NBD", "chi_square", chi_square)
