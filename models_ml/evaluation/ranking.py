"""Figures of ranked lists: one user at a time, and of all lists together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models_ml.arrays import BoolArray, FloatArray, IntArray


def top_k(scores: FloatArray, allowed: BoolArray, k: int, shuffle: IntArray) -> IntArray:
    """Positions of the k best allowed items, best first.

    `shuffle` is a permutation of the positions that breaks ties: without it, the order of the item ids would.
    """
    shuffled = np.where(allowed, scores, -np.inf)[shuffle]
    count = min(k, int(allowed.sum()))
    if not count:
        return np.empty(0, dtype=np.int64)
    if count < len(shuffled):
        # All that reach the k-th best score stay in, so that ties at the end are broken by the shuffle as
        # well.
        kth = np.partition(shuffled, len(shuffled) - count)[len(shuffled) - count]
        reach = np.flatnonzero(shuffled >= kth)
    else:
        reach = np.arange(len(shuffled))
    best = reach[np.argsort(-shuffled[reach], kind="stable")][:count]
    return shuffle[best]


def ndcg(hits: BoolArray, relevant: int, k: int) -> float:
    """Normalised discounted cumulative gain at k with binary relevance; ideal over min(k, relevant)."""
    gains = 1.0 / np.log2(np.arange(2, k + 2))
    return float(gains[: len(hits)][hits[:k]].sum() / gains[: min(k, relevant)].sum())


def recall(hits: BoolArray, relevant: int, k: int) -> float:
    """Relevant items shown among the first k, divided by min(k, relevant)."""
    return float(hits[:k].sum() / min(k, relevant))


def coverage(lists: Sequence[IntArray], candidates: int) -> float:
    """Share of the candidates that stand in at least one list."""
    shown = {int(item) for one in lists for item in one}
    return len(shown) / candidates if candidates else 0.0


def exposure_gini(lists: Sequence[IntArray], candidates: int) -> float:
    """Gini coefficient of how often each candidate is shown: 0 all alike, towards 1 always the same few."""
    shown = np.concatenate(lists) if lists else np.empty(0, dtype=np.int64)
    counts = np.zeros(candidates)
    _, found = np.unique(shown, return_counts=True)
    counts[candidates - len(found) :] = np.sort(found)
    if not counts.sum():
        return 0.0
    ranks = np.arange(1, candidates + 1)
    return float((2 * ranks - candidates - 1) @ counts / (candidates * counts.sum()))


def self_information(lists: Sequence[IntArray], popularity: FloatArray) -> float:
    """Mean −log₂ of the share of customers who had bought the shown items: how little known they are, in
    bits."""
    shown = np.concatenate(lists) if lists else np.empty(0, dtype=np.int64)
    if not len(shown):
        return 0.0
    return float(-np.log2(np.maximum(popularity[shown], 1e-12)).mean())
