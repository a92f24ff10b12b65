"""The published figures of a real shop's history, against sums taken from the file by other means."""

from decimal import Decimal

import polars as pl
import pytest

from tests.support.house import ROOT, House

FILE = ROOT / "tests" / "data" / "online_retail_customers.parquet"
NOT_TRADE = ["M", "ADJUST", "ADJUST2", "B", "S", "PADS", "TEST001", "TEST002", "BANK CHARGES", "AMAZONFEE", "CRUK", "D"]
SHIPPING = ["POST", "DOT", "C2", "C3"]


@pytest.fixture(scope="module")
def merchandise() -> pl.DataFrame:
    """Lines of trade by the file's own words: amounts in pence, rounded once, half away from zero."""
    code = pl.col("StockCode").str.strip_chars().str.to_uppercase()
    exact = pl.col("Quantity").cast(pl.Decimal(18, 4)) * pl.col("Price").cast(pl.Decimal(18, 4))
    return (
        pl.read_parquet(FILE)
        .filter(~code.is_in([*NOT_TRADE, *SHIPPING]), ~pl.col("Invoice").str.starts_with("A"), pl.col("Price") > 0)
        .with_columns(
            (exact * 100).round(0, mode="half_away_from_zero").cast(pl.Int64).alias("pence"),
            pl.col("InvoiceDate").cast(pl.String).str.slice(0, 7).alias("month"),
            pl.col("Invoice").str.starts_with("C").alias("is_credit"),
        )
    )


@pytest.mark.slow
class TestFigures:
    def test_every_month_to_the_penny(self, house: House, merchandise: pl.DataFrame) -> None:
        sold = merchandise.filter(~pl.col("is_credit"), pl.col("Quantity") > 0)
        returned = merchandise.filter(pl.col("is_credit"), pl.col("Quantity") < 0)
        for row in house.summary["months"]:
            of_month = sold.filter(pl.col("month") == row["month"])
            back = returned.filter(pl.col("month") == row["month"])
            assert row["orders"] == of_month["Invoice"].n_unique()
            assert pence(row["gross_merchandise"]) == of_month["pence"].sum()
            assert pence(row["returned_amount"]) == -back["pence"].sum()
            assert row["units"] == of_month["Quantity"].sum()

    def test_best_sellers(self, house: House, merchandise: pl.DataFrame) -> None:
        gross = (
            merchandise.filter(~pl.col("is_credit"), pl.col("Quantity") > 0)
            .group_by(pl.col("StockCode").str.to_uppercase().alias("sku"))
            .agg(pl.col("pence").sum())
        )
        published = house.run(
            "pipelines", "query", "--format", "csv",
            "SELECT d.sku, sum(l.gross_amount) FROM marts.fct_order_lines AS l"
            " INNER JOIN marts.dim_products AS d ON l.product_id = d.product_id GROUP BY 1",
        ).stdout  # fmt: skip
        shown = {line.split(",")[0]: pence(line.split(",")[1]) for line in published.splitlines()[1:]}
        assert shown == dict(gross.iter_rows())

    def test_a_file_that_is_given_twice_counts_once(self, house: House) -> None:
        done = house.run("transactional", "import-online-retail", str(FILE), str(FILE))
        assert done.returncode == 0
        published = house.run("pipelines", "query", "SELECT count(*) AS n FROM marts.fct_orders", "--format", "csv")
        assert int(published.stdout.splitlines()[1]) == house.summary["totals"][0]["orders"]


def pence(amount: str | float) -> int:
    """A published amount in minor units."""
    return int((Decimal(str(amount)) * 100).to_integral_value())
