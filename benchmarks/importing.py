"""Import of a real shop's history: rows a second into SQLite, beside Polars only reading and summing the file."""

import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.measure import best_of, run_module
from benchmarks.shops import FOLDER

EXCERPT = Path(__file__).resolve().parents[1] / "tests" / "data" / "online_retail_customers.parquet"


def run(file: Path | None = None) -> dict[str, Any]:
    """The file that `MLT_ONLINE_RETAIL` names, else the excerpt that the tests carry."""
    source = file or Path(os.environ.get("MLT_ONLINE_RETAIL", EXCERPT))
    var = FOLDER / "import"
    shutil.rmtree(var, ignore_errors=True)
    var.mkdir(parents=True)
    rows = pl.scan_parquet(source).select(pl.len()).collect().item()
    env = {"MLT_VAR": str(var), "DATABASE_URL": f"sqlite:///{var / 'shop.db'}"}
    done = run_module(["transactional", "import-online-retail", str(source)], env)
    reading = best_of(lambda: pl.read_parquet(source).select((pl.col("Quantity") * pl.col("Price")).sum()))
    return {
        "file": source.name,
        "rows": rows,
        **done.figures(),
        "rows_per_second": round(rows / done.seconds),
        "reading_seconds": round(reading, 3),
        "ratio_to_reading": round(done.seconds / reading, 1),
    }
