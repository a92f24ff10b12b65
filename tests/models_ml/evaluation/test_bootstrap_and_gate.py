"""Intervals, paired differences, Holm, and what the gate lets through."""

from __future__ import annotations

import numpy as np
import pytest

from models_ml.evaluation.bootstrap import gain, holm, p_value, resample, resample_means
from models_ml.evaluation.estimate import Metric
from models_ml.evaluation.gate import Trial, decide


@pytest.mark.slow
def test_intervals_cover_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        found = resample_means({"m": rng.normal(3, 1, 80)}, repeats=300, seed=seed)["m"].metric("m")
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 3 <= found.high
    assert 180 <= covered <= 199


def test_paired_differences_are_tighter_than_the_intervals() -> None:
    base = np.random.default_rng(0).normal(0, 1, 500)
    found = resample_means({"old": base, "new": base + 0.05})
    better = gain(found["new"], found["old"], "x")
    assert better.low == pytest.approx(0.05)
    assert p_value(found["new"], found["old"]) < 0.01
    worse = gain(found["new"], found["old"], "x", higher_is_better=False)
    assert worse.value == pytest.approx(-0.05)


def test_means_and_general_statistics_agree() -> None:
    values = np.random.default_rng(0).random(60)
    means = resample_means({"m": values}, seed=3)["m"]
    general = resample({"m": lambda i: float(values[i].mean())}, 60, seed=3)["m"]
    assert means.draws == pytest.approx(general.draws)


def test_an_undefined_statistic_has_no_interval() -> None:
    found = resample({"nan": lambda i: float("nan")}, 10, repeats=20)["nan"].metric("nan")
    assert (found.low, found.high) == (None, None)


def test_values_over_different_units_are_refused() -> None:
    with pytest.raises(ValueError, match="same units"):
        resample_means({"a": np.ones(3), "b": np.ones(4)})


def test_holm() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})


def trial(over_floor: float, over_champion: float | None = None, **more: bool) -> Trial:
    old = None if over_champion is None else Metric("ndcg", 0.5 - over_champion, n=9)
    return Trial(
        challenger=Metric("ndcg", 0.5, n=9),
        higher_is_better=True,
        floor=Metric("ndcg", 0.5 - over_floor, n=9),
        gain_over_floor=Metric("ndcg", over_floor, over_floor - 0.1, over_floor + 0.1, 9),
        champion=old,
        gain_over_champion=None if over_champion is None else Metric("ndcg", over_champion),
        **more,
    )


@pytest.mark.parametrize(
    ("case", "promoted"),
    [
        (trial(0.1), True),
        (trial(-0.1), False),
        (trial(0.0), False),
        (trial(0.1, 0.01), True),
        (trial(0.1, -0.01), False),
        (trial(0.1, 0.0), False),
        (trial(-0.1, 0.2), False),
        (trial(0.1, 0.0, same_recipe=True, newer_data=True), True),
        (trial(0.1, 0.0, same_recipe=True, newer_data=False), False),
        (trial(-0.1, 0.0, same_recipe=True, newer_data=True), False),
    ],
)
def test_the_gate(case: Trial, promoted: bool) -> None:
    decision = decide(case)
    assert decision.promote is promoted
    assert all(decision.reasons)


def test_the_reason_names_figures_and_interval() -> None:
    (_, reason) = decide(trial(0.1)).reasons
    assert reason == "ndcg 0.5000 is better than the floor's 0.4000 (gain +0.1000, 95 % [+0.0000, +0.2000], n 9)"


def test_the_first_of_its_name_without_a_floor() -> None:
    assert decide(Trial(Metric("ndcg", 0.0), higher_is_better=True)).promote
