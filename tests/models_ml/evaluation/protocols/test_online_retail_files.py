"""All spellings and formats of the files give the same lines; bad files are named."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from models_ml.evaluation.protocols.online_retail import InputError, load

ROWS = {
    "Invoice": ["489434", "489434", "489434", "C489435", "489436", "489437", "489438", "489439"],
    "StockCode": ["85048", "79323p ", "85048", "85048", "POST", "22041", "21523", "85048"],
    "Description": ["GLASS BALL", "LIGHTS", "GLASS BALL", "GLASS BALL", "POSTAGE", "FRAME", "MAT", "बल्ब"],
    "Quantity": [12, 12, 12, -1, 1, 0, 3, 2],
    "InvoiceDate": ["2009-12-01 07:45:00"] * 3 + ["2009-12-13 08:00:00"] * 5,
    "Price": [6.95, 6.75, 6.95, 6.95, 18.0, 2.1, 5.95, 1.0],
    "Customer ID": [13085.0, 13085.0, 13085.0, 13085.0, 13085.0, 13085.0, None, 13086.0],
    "Country": ["United Kingdom"] * 8,
}


def frame() -> pl.DataFrame:
    return pl.DataFrame(ROWS)


def as_parquet(path: Path) -> Path:
    frame().write_parquet(path / "a.parquet")
    return path / "a.parquet"


def as_csv_of_the_older_spelling(path: Path) -> Path:
    older = frame().rename({"Invoice": "InvoiceNo", "Price": "UnitPrice", "Customer ID": "CustomerID"})
    dates = pl.col("InvoiceDate").str.to_datetime().dt.strftime("%d/%m/%Y %H:%M")
    (path / "b.csv").write_bytes(b"\xef\xbb\xbf" + older.with_columns(dates).write_csv().encode())
    return path / "b.csv"


def as_csv_with_american_dates(path: Path) -> Path:
    frame().with_columns(pl.col("InvoiceDate").str.to_datetime().dt.strftime("%m/%d/%Y %H:%M")).write_csv(
        path / "c.csv"
    )
    return path / "c.csv"


def as_workbook(path: Path) -> Path:
    frame().with_columns(pl.col("InvoiceDate").str.to_datetime()).write_excel(path / "d.xlsx")
    return path / "d.xlsx"


@pytest.mark.parametrize("write", [as_parquet, as_csv_of_the_older_spelling, as_csv_with_american_dates, as_workbook])
def test_every_form_gives_the_same_lines(write: object, tmp_path: Path) -> None:
    assert callable(write)
    data = load([write(tmp_path)])
    assert data.lines.height == 3
    assert data.counts["rows"] == 8
    assert (data.counts["items"], data.counts["customers"], data.counts["invoices"]) == (2, 2, 2)
    assert data.counts["amount"] == pytest.approx(12 * 6.95 + 12 * 6.75 + 2)
    assert data.items["code"].to_list() == ["79323P", "85048"]
    assert str(data.lines["placed_at"].max()) == "2009-12-13 08:00:00"
    assert data.lines.schema["customer_id"] == pl.Int64


def test_an_invoice_of_two_files_is_taken_whole_from_the_first(tmp_path: Path) -> None:
    first = as_parquet(tmp_path)
    more = frame().with_columns(pl.lit(100).alias("Quantity"))
    extra = more.head(1).with_columns(pl.lit("499999").alias("Invoice"))
    pl.concat([more, extra]).write_parquet(tmp_path / "second.parquet")
    data = load([first, tmp_path / "second.parquet"])
    assert data.counts["invoices"] == 3
    assert sorted(data.lines["quantity"].to_list()) == [2, 12, 12, 100]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "cannot be read"),
        (b"a,b\n1,2\n", "lacks the column"),
        (b"Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n1,2,x,1,yesterday,1,1,UK\n",
         "no known form"),
        (b"Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n", "no line survives"),
    ],
)  # fmt: skip
def test_bad_files_are_named(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(InputError, match=says):
        load([tmp_path / "bad.csv"])


def test_a_directory_and_a_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(InputError, match="no such file"):
            load([path])
