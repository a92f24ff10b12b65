"""Every row lands in exactly one class, first match wins."""

import polars as pl
import pytest

from transactional.importing.classify import RowClass, classify
from transactional.importing.parsing import parse
from transactional.importing.reading import COLUMNS


def judged(*cells: tuple[str | None, str | None, str | None, str | None]) -> list[tuple[str, str | None]]:
    """Class and reason of rows given as invoice, stock code, quantity, price."""
    records = [
        (i, invoice, code, "THING", quantity, "2009-12-01 07:45:00", price, "13085", "EIRE")
        for i, (invoice, code, quantity, price) in enumerate(cells, start=2)
    ]
    schema = {"row_number": pl.Int64, **dict.fromkeys(COLUMNS, pl.String)}
    rows = classify(parse(pl.DataFrame(records, schema=schema, orient="row"), time_zone="UTC"))
    return list(rows.select("row_class", "reason").iter_rows())


@pytest.mark.parametrize(
    ("invoice", "code", "quantity", "price", "expected"),
    [
        ("A506401", "B", "1", "-53594.36", RowClass.ADJUSTMENT),
        ("A506401", "85048", "1", "0", RowClass.ADJUSTMENT),
        ("489434", "M", "1", "5.0", RowClass.ADJUSTMENT),
        ("C489434", " m ", "-1", "5.0", RowClass.ADJUSTMENT),
        ("489434", "PADS", "1", "0.001", RowClass.ADJUSTMENT),
        ("489434", "TEST001", "5", "4.5", RowClass.ADJUSTMENT),
        ("489434", "M", "1", "0", RowClass.STOCK_ADJUSTMENT),
        ("489434", "85048", "-70", "0.0", RowClass.STOCK_ADJUSTMENT),
        ("489434", "POST", "1", "0", RowClass.STOCK_ADJUSTMENT),
        ("489434", "BANK CHARGES", "-1", "15", RowClass.FEE),
        ("489434", "amazonfee", "-1", "15", RowClass.FEE),
        ("C489434", "CRUK", "-1", "15", RowClass.FEE),
        ("C489434", "D", "-1", "15", RowClass.DISCOUNT),
        ("489434", "D", "1", "15", RowClass.DISCOUNT),
        ("489434", "POST", "3", "18", RowClass.SHIPPING),
        ("C489434", "DOT", "-1", "18", RowClass.SHIPPING),
        ("489434", "C2", "1", "50", RowClass.SHIPPING),
        ("C489434", "85048", "-1", "6.95", RowClass.RETURN),
        ("c489434", "85048", "-1", "6.95", RowClass.RETURN),
        ("489434", "85048", "1", "6.95", RowClass.MERCHANDISE),
        ("489434", "GIFT_0001_30", "1", "26.08", RowClass.MERCHANDISE),
        ("489434", "DCGS0058", "1", "0.95", RowClass.MERCHANDISE),
        ("489434", "85048", "-1", "6.95", RowClass.MALFORMED),
        ("489434", "85048", "1", "-6.95", RowClass.MALFORMED),
        ("C489434", "85048", "1", "6.95", RowClass.MALFORMED),
        (None, "85048", "1", "6.95", RowClass.MALFORMED),
        ("489434", None, "1", "6.95", RowClass.MALFORMED),
        ("489434", "85048", "one", "6.95", RowClass.MALFORMED),
        ("489434", "85048", "1", "", RowClass.MALFORMED),
        ("489434", "85048", "0", "6.95", RowClass.MALFORMED),
    ],
)
def test_classes(invoice: str, code: str, quantity: str, price: str, expected: RowClass) -> None:
    ((row_class, _),) = judged((invoice, code, quantity, price))
    assert row_class == expected.value


@pytest.mark.parametrize(
    ("rows", "reasons"),
    [
        ([("1", "POST", "1", "9"), ("1", "85048", "1", "2")], [None, None]),
        ([("1", "POST", "1", "9"), ("2", "85048", "1", "2")], ["shipping on an invoice without merchandise", None]),
        ([("C1", "POST", "-1", "9")], [None]),
        ([("1", "POST", "-1", "9"), ("1", "85048", "1", "2")], ["a negative shipping charge on an order", None]),
        ([("1", "D", "1", "0.001")], ["an amount that rounds to nothing"]),
        ([("C1", "85048", "-1", "-5")], ["a return that would charge the customer"]),
        ([("1", "85048", "0", "0")], ["a stock movement of no units"]),
        ([("1", "BANK CHARGES", "1", "5")], ["fee (BANK CHARGES)"]),
        ([("1", "M", "1", "5")], ["bookkeeping adjustment (M)"]),
        ([(None, "85048", "1", "5")], ["no invoice number"]),
        ([("1", "85048", "x", "5")], ["the quantity is not a whole number within bounds"]),
        ([("1", "85048", "1", "x")], ["the price is not a number within bounds"]),
        ([("1", "85048", "-1", "5")], ["neither sale nor return by the signs of its quantity, price and invoice"]),
    ],
)
def test_what_becomes_no_trade_says_why(
    rows: list[tuple[str | None, str, str, str]], reasons: list[str | None]
) -> None:
    assert [reason for _, reason in judged(*rows)] == reasons
