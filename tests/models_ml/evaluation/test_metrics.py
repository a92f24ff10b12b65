"""Figures against values worked out by hand or by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from models_ml.evaluation import metrics, ranking

RNG = np.random.default_rng(0)
SCORE = np.round(RNG.random(400), 2)  # with ties
HAPPENED = RNG.random(400) < SCORE


def test_auc_and_average_precision_agree_with_scikit_learn() -> None:
    assert metrics.auc(SCORE, HAPPENED) == pytest.approx(sk.roc_auc_score(HAPPENED, SCORE))
    assert metrics.average_precision(SCORE, HAPPENED) == pytest.approx(sk.average_precision_score(HAPPENED, SCORE))
    assert metrics.brier(SCORE, HAPPENED) == pytest.approx(sk.brier_score_loss(HAPPENED, SCORE))


def test_one_outcome_only_is_undefined_not_wrong() -> None:
    everybody = np.ones(5, dtype=np.bool_)
    assert np.isnan(metrics.auc(SCORE[:5], everybody))
    assert np.isnan(metrics.calibration_slope(SCORE[:5], everybody))
    assert np.isnan(metrics.average_precision(SCORE[:5], ~everybody))


def test_calibration_slope() -> None:
    p = RNG.uniform(0.05, 0.95, 50_000)
    happened = RNG.random(50_000) < p
    assert metrics.calibration_slope(p, happened) == pytest.approx(1, abs=0.03)
    logit = np.log(p / (1 - p))
    assert metrics.calibration_slope(1 / (1 + np.exp(-2 * logit)), happened) == pytest.approx(0.5, abs=0.02)


def test_amounts() -> None:
    actual = np.array([0.0, 0, 10, 30, 60])
    assert metrics.normalised_gini(actual, actual) == pytest.approx(1)
    assert metrics.normalised_gini(-actual, actual) < 0
    assert metrics.normalised_gini(np.zeros(5), actual) == pytest.approx(0, abs=1e-12)
    assert metrics.total_bias(actual * 0.8, actual) == pytest.approx(-0.2)
    assert metrics.top_share(actual, actual, 0.2) == pytest.approx(0.6)
    assert metrics.spearman(actual**3, actual) == pytest.approx(1)
    assert np.isnan(metrics.spearman(np.ones(5), actual))


def test_the_order_of_tied_customers_does_not_matter() -> None:
    actual = np.array([0.0, 100, 0, 5])
    tied = np.array([1.0, 1, 1, 0])
    swapped = np.array([0.0, 0, 100, 5])
    assert metrics.normalised_gini(tied, actual) == pytest.approx(metrics.normalised_gini(tied, swapped))


def test_ndcg_and_recall_by_hand() -> None:
    hits = np.array([True, False, True, False])
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert ranking.ndcg(hits, 3, 4) == pytest.approx((1 + 1 / np.log2(4)) / ideal)
    assert ranking.ndcg(np.array([True]), 1, 20) == 1
    assert ranking.recall(hits, 10, 4) == 0.5
    assert ranking.recall(np.array([True]), 1, 20) == 1


def test_top_k_masks_and_breaks_ties_by_the_shuffle() -> None:
    scores, allowed = np.array([1.0, 1, 1, 5, 9]), np.array([True, True, True, True, False])
    shuffle = np.array([2, 0, 4, 3, 1])
    assert ranking.top_k(scores, allowed, 3, shuffle).tolist() == [3, 2, 0]
    assert ranking.top_k(scores, allowed, 9, shuffle).tolist() == [3, 2, 0, 1]
    assert ranking.top_k(scores, ~np.ones(5, dtype=np.bool_), 3, shuffle).tolist() == []


def test_tied_scores_hit_no_more_than_chance() -> None:
    rng = np.random.default_rng(1)
    allowed = np.ones(100, dtype=np.bool_)
    found = [0 in ranking.top_k(np.zeros(100), allowed, 20, rng.permutation(100)) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(0.2, abs=0.03)


def test_coverage_and_gini() -> None:
    lists = [np.array([0, 1]), np.array([0, 1])]
    assert ranking.coverage(lists, 4) == 0.5
    assert ranking.exposure_gini(lists, 4) == pytest.approx(0.5)
    assert ranking.exposure_gini([np.array([0, 1, 2, 3])], 4) == pytest.approx(0)
    assert ranking.exposure_gini([], 4) == 0
    assert ranking.self_information([np.array([0])], np.array([0.25])) == 2
