"""Protocol `groceries`: frequent itemsets and rules, counted exactly (Hahsler, Hornik & Reutterer 2006)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from models_ml.evaluation.protocols.online_retail import InputError
from models_ml.evaluation.protocols.report import Report, described_files

_THRESHOLDS = ((0.001, 0.8), (0.006, 0.25), (0.01, 0.5))
_RULES = (
    (("whole milk",), "other vegetables"),
    (("other vegetables",), "whole milk"),
    (("herbs",), "root vegetables"),
    (("berries",), "whipped/sour cream"),
    (("liquor", "red/blush wine"), "bottled beer"),
    (("citrus fruit", "root vegetables"), "other vegetables"),
    (("root vegetables", "tropical fruit"), "other vegetables"),
    (("curd", "yogurt"), "whole milk"),
    (("Instant food products", "soda"), "hamburger meat"),
    (("rolls/buns",), "soda"),
)

Itemset = tuple[str, ...]


@dataclass(frozen=True)
class Baskets:
    """Which baskets hold each item, as the bits of one integer an item."""

    count: int
    holding: dict[str, int]

    def support_count(self, items: Itemset) -> int:
        """Baskets that hold all the items; 0 with an unknown one."""
        mask = (1 << self.count) - 1
        for item in items:
            mask &= self.holding.get(item, 0)
        return mask.bit_count()


def evaluate(paths: list[Path], seed: int = 0) -> Report:
    """Count itemsets and rules at three thresholds, and ten rules by name."""
    baskets = read_baskets(paths)
    report = Report("groceries", None, seed, described_files(paths))
    cells = sum(mask.bit_count() for mask in baskets.holding.values())
    pairs = sum(1 for a, b in combinations(sorted(baskets.holding), 2) if baskets.holding[a] & baskets.holding[b])
    report.counts = {
        "baskets": baskets.count,
        "items": len(baskets.holding),
        "cells": cells,
        "occurring_pairs": pairs,
    }
    for support, confidence in _THRESHOLDS:
        itemsets = frequent_itemsets(baskets, support)
        at = f"support {support:g}, confidence {confidence:g}"
        report.add_value("counts", at, "apriori", "itemsets", len(itemsets))
        report.add_value("counts", at, "apriori", "rules", count_rules(itemsets, confidence))
    for left, right in _RULES:
        _rule(report, baskets, left, right)
    return report


def read_baskets(paths: list[Path]) -> Baskets:
    """One basket a line, items separated by commas; repeated items of a basket count once."""
    holding: dict[str, int] = {}
    count = 0
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: no such file")
        with path.open(encoding="utf-8", newline="") as opened:
            for row in csv.reader(opened):
                items = {item.strip() for item in row} - {""}
                for item in items:
                    holding[item] = holding.get(item, 0) | (1 << count)
                count += bool(items)
    if not count:
        raise InputError(f"{', '.join(map(str, paths))}: no baskets")
    return Baskets(count, holding)


def frequent_itemsets(baskets: Baskets, support: float) -> dict[Itemset, int]:
    """All itemsets in at least `support` of the baskets, with their counts (Apriori, level by level)."""
    least = support * baskets.count
    level: dict[Itemset, int] = {
        (item,): mask for item, mask in sorted(baskets.holding.items()) if mask.bit_count() >= least
    }
    found: dict[Itemset, int] = {}
    while level:
        found.update({items: mask.bit_count() for items, mask in level.items()})
        following: dict[Itemset, int] = {}
        by_prefix: dict[Itemset, list[Itemset]] = {}
        for items in level:
            by_prefix.setdefault(items[:-1], []).append(items)
        for group in by_prefix.values():
            for first, second in combinations(group, 2):
                mask = level[first] & level[second]
                if mask.bit_count() >= least:
                    following[(*first, second[-1])] = mask
        level = following
    return found


def count_rules(itemsets: dict[Itemset, int], confidence: float) -> int:
    """Rules with one item on the right, at least one on the left, and at least this confidence."""
    rules = 0
    for items, together in itemsets.items():
        if len(items) < 2:
            continue
        for i in range(len(items)):
            left = items[:i] + items[i + 1 :]
            rules += together / itemsets[left] >= confidence
    return rules


def _rule(report: Report, baskets: Baskets, left: Itemset, right: str) -> None:
    n, n_a, n_b = baskets.count, baskets.support_count(left), baskets.support_count((right,))
    both = baskets.support_count((*left, right))
    name = f"{', '.join(left)} ⇒ {right}"
    if not n_a or not n_b:
        report.add_missing("rules", name, "rule", "confidence", "an item of the rule is not in these baskets")
        return
    confidence = both / n_a
    figures = {
        "n_a": n_a,
        "n_b": n_b,
        "n_ab": both,
        "confidence": confidence,
        "lift": confidence * n / n_b,
        "leverage": both / n - n_a * n_b / n**2,
    }
    for metric, value in figures.items():
        report.add_value("rules", name, "rule", metric, value)
    if confidence < 1:
        report.add_value("rules", name, "rule", "conviction", (1 - n_b / n) / (1 - confidence))
