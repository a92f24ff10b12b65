"""Files in every shape that Online Retail comes in, and those that are none of it."""
# ruff: noqa: DTZ001  the times of a file are a wall clock's and carry no zone

import csv
import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from transactional.importing.errors import ImportRefused
from transactional.importing.reading import COLUMNS, read_file

HEADER = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")
ROW = ("489434", "85048", '15CM "GLASS" BALL, 20 LIGHTS', "12", "2009-12-01 07:45:00", "6.95", "13085.0", "EIRE")
OTHER = ("C489449", "22087", "PAPER BUNTING", "-12", "2009-12-01 10:33:00", "2.95", "", "Australia")


def as_csv(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue()


def read_text(tmp_path: Path, content: str | bytes, name: str = "file.csv") -> pl.DataFrame:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (sheet,) = read_file(path).sheets
    return sheet.rows


def refused(tmp_path: Path, content: str | bytes, name: str = "file.csv") -> str:
    with pytest.raises(ImportRefused) as refusal:
        read_text(tmp_path, content, name)
    return str(refusal.value)


def test_cells_stay_as_they_stand_and_rows_are_numbered_like_lines(tmp_path: Path) -> None:
    rows = read_text(tmp_path, as_csv(ROW, OTHER))
    assert rows.row(0) == (2, *ROW)
    assert rows.row(1) == (3, *OTHER[:6], None, "Australia")


@pytest.mark.parametrize(
    "header",
    [
        ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"),
        ("\ufeffInvoice", "stock code", "DESCRIPTION", "quantity", "Invoice Date", "price", "Customer_ID", "country"),
    ],
)
def test_every_spelling_of_the_columns_is_known(tmp_path: Path, header: tuple[str, ...]) -> None:
    assert read_text(tmp_path, as_csv(ROW, header=header)).row(0) == (2, *ROW)


def test_the_order_of_columns_does_not_matter_and_others_are_left_out(tmp_path: Path) -> None:
    header, row = ("index", *reversed(HEADER), ""), ("0", *reversed(ROW), "x")
    assert read_text(tmp_path, as_csv(row, header=header)).row(0) == (2, *ROW)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    row = (*ROW[:2], "GIFT VOUCHER £30 CAFÉ", *ROW[3:])
    assert read_text(tmp_path, as_csv(row).encode(encoding))["description"].item() == "GIFT VOUCHER £30 CAFÉ"


def test_the_sheets_of_a_workbook_with_dates_and_numbers_as_excel_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "two years.xlsx"
    with xlsxwriter.Workbook(path) as book:
        dates = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for name, invoice in (("Year 2009-2010", 489434), ("Year 2010-2011", "C536365")):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, HEADER)
            sheet.write_row(1, 0, [invoice, 85048, "CANDLE", 12])
            sheet.write_datetime(1, 4, datetime(2009, 12, 1, 7, 45), dates)
            sheet.write_row(1, 5, [6.95, 13085, "EIRE"])
        book.add_worksheet("notes")
    first, second = read_file(path).sheets
    assert first.rows.row(0) == (2, "489434", "85048", "CANDLE", "12", "2009-12-01 07:45:00", "6.95", "13085", "EIRE")
    assert second.rows["invoice"].item() == "C536365"
    assert "Year 2010-2011" in second.label


@pytest.mark.parametrize("when", ["2009-12-01 07:45:00", datetime(2009, 12, 1, 7, 45)])
def test_parquet_with_texts_or_timestamps(tmp_path: Path, when: str | datetime) -> None:
    path = tmp_path / "file.parquet"
    values = ("489434", "85048", "CANDLE", 12, when, 6.95, 13085.0, None)
    pl.DataFrame([values], schema=HEADER, orient="row").write_parquet(path)
    (sheet,) = read_file(path).sheets
    row = sheet.rows.row(0, named=True)
    assert (row["row_number"], row["price"], row["customer_id"], row["country"]) == (1, "6.95", "13085.0", None)
    assert row["invoice_date"].startswith("2009-12-01 07:45:00")


def test_nan_is_no_value(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    pl.DataFrame(
        [("1", "A", None, 1, "2009-12-01", float("nan"), float("nan"), "UK")], schema=HEADER, orient="row"
    ).write_parquet(path)
    (sheet,) = read_file(path).sheets
    assert sheet.rows.row(0)[6:8] == (None, None)


def test_a_row_with_too_many_cells_keeps_only_what_is_certain(tmp_path: Path) -> None:
    rows = read_text(tmp_path, as_csv((*ROW, "one more"), OTHER))
    assert rows.row(0) == (2, "489434", "85048", *[None] * 6)


def test_blank_rows_are_no_rows_but_count(tmp_path: Path) -> None:
    rows = read_text(tmp_path, as_csv(ROW, ("",) * 8, OTHER))
    assert rows["row_number"].to_list() == [2, 4]


def test_no_line_break_at_the_end_is_fine(tmp_path: Path) -> None:
    assert read_text(tmp_path, as_csv(ROW, OTHER).rstrip("\r\n")).height == 2


@pytest.mark.parametrize("lost", [4, 12, 25, 40])
def test_a_text_that_ends_in_mid_row(tmp_path: Path, lost: int) -> None:
    content = as_csv(ROW, OTHER, ROW).rstrip("\r\n")[:-lost]
    assert "row 4" in refused(tmp_path, content)


def test_a_last_country_that_is_the_beginning_of_another_one(tmp_path: Path) -> None:
    content = as_csv(ROW, OTHER, (*OTHER[:7], "Austr")).rstrip("\r\n")
    assert "'Austr'" in refused(tmp_path, content)


def test_an_open_quote_at_the_end(tmp_path: Path) -> None:
    assert "line 3" in refused(tmp_path, as_csv(ROW) + '489435,22087,"PAPER BUN')


def test_missing_columns_are_named(tmp_path: Path) -> None:
    message = refused(tmp_path, "Invoice,StockCode,Amount\n1,2,3\n")
    assert "description, quantity, invoice_date, price, customer_id, country" in message
    assert "'Amount'" in message


def test_a_column_in_both_spellings(tmp_path: Path) -> None:
    assert "two columns for price" in refused(tmp_path, as_csv((*ROW, "1"), header=(*HEADER, "UnitPrice")))


@pytest.mark.parametrize("name", ["file.csv", "file.xlsx", "file.parquet"])
def test_an_empty_file(tmp_path: Path, name: str) -> None:
    assert "is empty" in refused(tmp_path, b"", name)


def test_a_header_alone(tmp_path: Path) -> None:
    assert "no rows" in refused(tmp_path, as_csv())


def test_a_directory_and_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="is a directory"):
        read_file(tmp_path)
    with pytest.raises(ImportRefused, match="does not exist"):
        read_file(tmp_path / "absent.csv")


@pytest.mark.parametrize("name", ["file.csv", "file.xlsx", "file.parquet", "file"])
def test_noise(tmp_path: Path, name: str) -> None:
    noise = bytes(range(256)) * 64
    assert str(tmp_path / name) in refused(tmp_path, noise, name)


def _workbook(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write_row(0, 0, HEADER)


def _parquet(path: Path) -> None:
    pl.DataFrame([ROW] * 50, schema=HEADER, orient="row").write_parquet(path)


@pytest.mark.parametrize(("name", "write"), [("file.xlsx", _workbook), ("file.parquet", _parquet)])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_binary_files_that_were_cut_off(tmp_path: Path, name: str, write: Callable[[Path], None], share: float) -> None:
    write(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    assert "cannot be read as" in refused(tmp_path, content[: int(len(content) * share)], name)


def test_a_workbook_without_cells(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet()
    with pytest.raises(ImportRefused, match="without any filled sheet"):
        read_file(path)


def test_a_nul_character_is_dropped(tmp_path: Path) -> None:
    rows = read_text(tmp_path, as_csv((*ROW[:2], "A\x00B", *ROW[3:])))
    assert rows["description"].item() == "AB"
    assert rows.columns == ["row_number", *COLUMNS]
