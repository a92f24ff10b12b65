"""`python -m models_ml evaluate`: every protocol on a small file, the same JSON twice, clear refusals."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from models_ml.__main__ import main
from models_ml.evaluation.protocols.groceries import count_rules, frequent_itemsets, read_baskets


@pytest.fixture(scope="module")
def shop_file(lines: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("or") / "shop.parquet"
    lines.select(
        (pl.col("order_id") + 500_000).cast(pl.String).alias("Invoice"),
        (pl.col("product_id") + 20_000).cast(pl.String).alias("StockCode"),
        pl.lit("THING").alias("Description"),
        pl.col("quantity").alias("Quantity"),
        pl.col("placed_at").alias("InvoiceDate"),
        pl.col("net_amount").alias("Price"),
        pl.col("customer_id").cast(pl.Float64).alias("Customer ID"),
        pl.lit("India").alias("Country"),
    ).write_parquet(path)
    return path


def run(protocol: str, file: Path, out: Path, *more: str) -> dict[str, Any]:
    assert main(["evaluate", protocol, "--input", str(file), "--out", str(out), *more]) == 0
    document: dict[str, Any] = json.loads(out.read_text())
    return document


def values(document: dict[str, Any], metric: str, task: str) -> dict[str, Any]:
    return {
        f"{r['slice']} {r['model']}": r["value"]
        for r in document["results"]
        if r["metric"] == metric and r["task"] == task
    }


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["or-rec", "or-fbt", "or-trend"])
def test_the_same_json_twice_but_for_the_seconds(
    protocol: str, shop_file: Path, as_of: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cutoff = ("--cutoff", f"{as_of - timedelta(days=110):%Y-%m-%d}")
    first = run(protocol, shop_file, tmp_path / "a.json", *cutoff)
    second = run(protocol, shop_file, tmp_path / "b.json", *cutoff)
    assert first.pop("seconds") >= 0
    assert second.pop("seconds") >= 0
    assert first == second
    assert first["files"][0]["name"] == "shop.parquet"
    assert first["comparisons"]
    assert all(c["low"] <= c["difference"] <= c["high"] for c in first["comparisons"])
    assert first["protocol"] in capsys.readouterr().out


@pytest.mark.slow
def test_or_rec_finds_taste(shop_file: Path, as_of: Any, tmp_path: Path) -> None:
    document = run("or-rec", shop_file, tmp_path / "r.json", "--cutoff", f"{as_of - timedelta(days=250):%Y-%m-%d}")
    new = values(document, "ndcg_at_20", "B")
    assert new["all EASE"] > new["all popularity, 28 days"] > 0
    cold = values(document, "ndcg_at_20", "cold users")
    assert cold["after 2 items EASE"] > cold["after 0 items EASE"]


@pytest.mark.slow
def test_or_clv_says_what_the_data_cannot_give(shop_file: Path, as_of: Any, tmp_path: Path) -> None:
    cutoff = f"{as_of - timedelta(days=100):%Y-%m-%d}"
    document = run("or-clv", shop_file, tmp_path / "c.json", "--cutoff", cutoff)
    churn = values(document, "auc", "churn")
    assert churn["H=90 BG/NBD −E[orders]"] > churn["H=90 1 − P(alive)"]
    assert churn["H=90 P(churn), logistic regression"] > 0.7
    missing = [r for r in document["results"] if r["value"] is None]
    assert {r["slice"] for r in missing} >= {"H=180"}
    assert all(r["reason"] for r in missing)
    assert values(document, "gini", "value")["H=90 lifetime value × season"] is not None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["or-rec", "--input", "none.csv", "--cutoff", "2010-01-01"], "no such file"),
        (["or-rec", "--input", "none.csv"], "needs --cutoff"),
        (["cdnow", "--input", "none.txt"], "no such file"),
        (["groceries", "--input", "none.csv"], "no such file"),
    ],
)
def test_what_cannot_be_evaluated_exits_with_2(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o.json"
    assert main(["evaluate", *arguments, "--out", str(out)]) == 2
    assert says in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("protocol", ["or-rec", "or-fbt", "or-trend"])
def test_a_cutoff_after_the_data(
    protocol: str, shop_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", protocol, "--input", str(shop_file), "--cutoff", "2031-01-01", "--out"]
    assert main([*arguments, str(tmp_path / "o.json")]) == 2
    assert "error: no " in capsys.readouterr().err


def test_cdnow_from_a_file_of_its_form(tmp_path: Path) -> None:
    file = tmp_path / "cdnow.txt"
    rng = np.random.default_rng(0)
    start, rows = datetime.fromisoformat("1997-01-01"), []
    for customer in range(1, 400):
        gap, leaves, level = rng.gamma(1, 60) + 3, rng.beta(1, 2), rng.gamma(3, 10)
        when = start + timedelta(days=float(rng.uniform(0, 84)))
        while when < start + timedelta(days=545):
            rows.append(f" {customer:05d} {customer:04d} {when:%Y%m%d} 1 {level * rng.gamma(4, 0.25) + 1:.2f}")
            when += timedelta(days=float(rng.exponential(gap)) + (1000 if rng.random() < leaves else 1))
    file.write_text("\n".join(rows))
    document = run("cdnow", file, tmp_path / "o.json")
    assert document["counts"] == {"customers": 399, "transactions": len(rows)}
    totals = values(document, "total", "hold-out")
    assert totals["all BG/NBD"] == pytest.approx(totals["all actual"], rel=0.5)
    file.write_text(" 00001 0001 1997-01-01 1 11.77")
    assert main(["evaluate", "cdnow", "--input", str(file), "--out", str(tmp_path / "p.json")]) == 2


def test_groceries_counts_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "baskets.csv"
    file.write_text("milk,bread\nmilk,bread,tea\nmilk\n\ntea,tea\n")
    baskets = read_baskets([file])
    assert (baskets.count, baskets.support_count(("bread", "milk"))) == (4, 2)
    itemsets = frequent_itemsets(baskets, 0.5)
    assert itemsets == {("bread",): 2, ("milk",): 3, ("tea",): 2, ("bread", "milk"): 2}
    assert count_rules(itemsets, 0.9) == 1
    document = run("groceries", file, tmp_path / "o.json")
    assert document["counts"]["cells"] == 7
