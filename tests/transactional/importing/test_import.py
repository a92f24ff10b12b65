"""The excerpt of a real history, brought into a shop: figures, links, ledgers, repetition, refusal."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import func, select, text

from transactional import tables
from transactional.core.uow import Database
from transactional.importing import load
from transactional.importing.errors import ImportRefused
from transactional.importing.load import import_files, judge

EXCERPT = Path(__file__).parents[2] / "data" / "online_retail_excerpt.csv"
TABLES = tables.metadata.tables


def bring(database: Database, *paths: Path, rate: Decimal | None = None) -> dict[str, Any]:
    files = [judge(path, time_zone="Europe/London") for path in paths]
    return import_files(database, files, time_zone="Europe/London", shop_name="Test", rate=rate)


def scalar(database: Database, sql: str) -> Any:
    with database.read() as session:
        return session.scalar(text(sql))


def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    with database.read() as session:
        return [tuple(row) for row in session.execute(text(sql))]


def counts(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in TABLES.items()
            if name != "journal_context"
        }


def write(path: Path, frame: pl.DataFrame) -> Path:
    frame.write_csv(path)
    return path


@pytest.fixture
def excerpt() -> pl.DataFrame:
    return pl.read_csv(EXCERPT, infer_schema=False)


def test_the_excerpt_to_the_penny(any_database: Database) -> None:
    result = bring(any_database, EXCERPT)
    classes = {name: (f["rows"], f["invoices"], f["units"], f["amount"]) for name, f in result["classes"].items()}
    assert classes == {
        "adjustment": (7, 7, 5, -50237.00),
        "stock_adjustment": (12, 12, -1016, 0.0),
        "fee": (4, 4, -2, -49.47),
        "discount": (8, 7, 187, -404.08),
        "shipping": (17, 16, 27, 875.84),
        "return": (66, 25, -6184, -10213.74),
        "merchandise": (356, 56, 6186, 14337.10),
        "malformed": (0, 0, 0, 0.0),
    }
    assert result["total"]["amount"] == pytest.approx(sum(f[3] for f in classes.values()), abs=0.001)
    assert (result["total"]["rows"], result["files"][0]["exact_duplicate_rows"]) == (470, 3)
    assert scalar(any_database, "SELECT count(*) FROM orders") == 56
    assert scalar(any_database, "SELECT count(*) FROM orders WHERE customer_id IS NULL") == 9
    assert scalar(any_database, "SELECT sum(gross_minor) FROM orders") == 1_433_710
    assert scalar(any_database, "SELECT sum(gross_minor) FROM order_lines") == 1_433_710
    assert scalar(any_database, "SELECT sum(shipping_minor) FROM orders") == 47_252
    assert scalar(any_database, "SELECT sum(refund_minor) FROM returns") == 1_021_374
    assert dict(rows(any_database, "SELECT kind, sum(amount_minor) FROM order_credits GROUP BY kind")) == {
        "discount": 40_408,
        "shipping_refund": 1_768,
    }
    kinds = dict(rows(any_database, "SELECT kind, sum(quantity) FROM stock_movements GROUP BY kind"))
    assert kinds == {"sale": -6186, "return": 6184, "adjustment": -1016}
    quarantine = dict(rows(any_database, "SELECT row_class, count(*) FROM import_quarantine GROUP BY row_class"))
    assert quarantine == {"adjustment": 7, "fee": 4, "shipping": 3}
    assert rows(any_database, "SELECT base_currency, time_zone FROM shop_profile") == [("GBP", "Europe/London")]


def test_orders_keep_what_the_file_says(any_database: Database) -> None:
    bring(any_database, EXCERPT)
    with any_database.read() as session:
        order = session.execute(select(TABLES["orders"]).where(TABLES["orders"].c.order_number == "489809")).one()
        lines = TABLES["order_lines"]
        line = session.execute(select(lines).where(lines.c.order_id == order.id).order_by(lines.c.id).limit(1)).one()
    assert (order.status, order.payment_mode, order.currency) == ("delivered", "external", "GBP")
    assert (order.ship_country, order.source, order.external_ref) == ("United Kingdom", "online_retail", "489809")
    assert order.placed_at.isoformat() == "2009-12-02T12:46:00+00:00"
    assert order.paid_at == order.delivered_at == order.placed_at
    assert order.public_id.startswith("ord_")
    assert (line.quantity * line.unit_price_micros) // 10_000 == line.gross_minor == line.net_minor


def test_every_row_is_in_the_journal_under_the_import(any_database: Database) -> None:
    before, last = counts(any_database), scalar(any_database, "SELECT max(seq) FROM journal")
    bring(any_database, EXCERPT)
    grown = {name: n - before[name] for name, n in counts(any_database).items() if n != before[name]}
    own = f"FROM journal WHERE seq > {last or 0} AND actor = 'import' AND operation = 'I'"
    journaled = dict(rows(any_database, f"SELECT table_name, count(*) {own} GROUP BY table_name"))
    assert sum(journaled.values()) == grown.pop("journal")
    assert journaled == grown


def test_returns_take_back_what_was_bought(any_database: Database) -> None:
    bring(any_database, EXCERPT)
    wrong = """
        SELECT l.id FROM order_lines l LEFT JOIN (
            SELECT order_line_id, sum(quantity) AS units, sum(refund_minor) AS minor FROM return_lines GROUP BY 1
        ) r ON r.order_line_id = l.id
        WHERE l.returned_quantity <> coalesce(r.units, 0) OR l.refunded_minor <> coalesce(r.minor, 0)
           OR l.returned_quantity > l.quantity OR l.refunded_minor > l.net_minor
    """
    assert rows(any_database, wrong) == []
    assert scalar(any_database, "SELECT count(*) FROM return_lines WHERE order_line_id IS NOT NULL") == 21
    strangers = """
        SELECT r.id FROM returns r JOIN orders o ON o.id = r.order_id
        WHERE r.customer_id <> o.customer_id OR r.processed_at < o.placed_at
    """
    assert rows(any_database, strangers) == []
    refunds = """
        SELECT p.id FROM payments p LEFT JOIN (
            SELECT payment_id, sum(amount_minor) AS minor FROM refunds GROUP BY 1
        ) r ON r.payment_id = p.id
        WHERE p.refunded_minor <> coalesce(r.minor, 0) OR p.amount_minor <> (
            SELECT total_minor FROM orders o WHERE o.id = p.order_id)
    """
    assert rows(any_database, refunds) == []


def test_the_ledger_closes(any_database: Database) -> None:
    bring(any_database, EXCERPT)
    assert (
        rows(any_database, "SELECT transaction_id FROM ledger_postings GROUP BY 1 HAVING sum(amount_minor) <> 0") == []
    )
    balance = dict(rows(any_database, "SELECT account, sum(amount_minor) FROM ledger_postings GROUP BY account"))
    paid = 1_433_710 + 47_252 - 1_021_374 - 40_408 - 1_768
    assert balance == {"settled_elsewhere": paid, "customer_payments": -paid}


def test_the_second_time_changes_nothing(any_database: Database) -> None:
    bring(any_database, EXCERPT)
    before = counts(any_database)
    result = bring(any_database, EXCERPT)
    assert counts(any_database) == before
    assert (result["imported"]["total"]["rows"], result["files"][0]["already_imported_invoices"]) == (0, 114)
    assert result["booked"] == {}
    assert result["classes"]["merchandise"]["rows"] == 356


def test_new_ids_follow_the_imported_ones(any_database: Database) -> None:
    bring(any_database, EXCERPT)
    last = scalar(any_database, "SELECT max(id) FROM customers")
    with any_database.unit_of_work(actor="test") as session:
        values = {"acquisition_channel": "direct", "created_at": any_database.clock.now()}
        inserted = session.execute(TABLES["customers"].insert().values(values)).inserted_primary_key
    assert inserted is not None
    assert inserted[0] > last


def test_two_files_that_overlap_count_each_invoice_once(
    any_database: Database, excerpt: pl.DataFrame, tmp_path: Path
) -> None:
    first = write(tmp_path / "first.csv", excerpt.head(300))
    second = write(tmp_path / "second.csv", excerpt.slice(excerpt["Invoice"].to_list().index(excerpt["Invoice"][200])))
    whole = excerpt.height - 300
    result = bring(any_database, first, second)
    # The invoice that the cut goes through belongs to the first file whole, with the rows that it has there.
    torn = excerpt.slice(300).filter(pl.col("Invoice") == excerpt["Invoice"][299]).height
    assert result["imported"]["total"]["rows"] == 300 + whole - torn
    assert scalar(any_database, "SELECT count(*) FROM imported_invoices") == 114
    assert scalar(any_database, "SELECT count(*) FROM import_runs") == 2


def test_sheets_of_one_workbook_that_overlap(database: Database, excerpt: pl.DataFrame, tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "both.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, part in (("a", excerpt), ("b", excerpt.tail(100))):
            sheet = book.add_worksheet(name)
            for i, row in enumerate([excerpt.columns, *part.iter_rows()]):
                sheet.write_row(i, 0, ["" if cell is None else cell for cell in row])
    result = bring(database, path)
    assert (result["total"]["rows"], result["imported"]["total"]["rows"]) == (570, 470)
    assert scalar(database, "SELECT sum(gross_minor) FROM order_lines") == 1_433_710


def test_a_return_finds_a_purchase_of_an_earlier_import(
    any_database: Database, excerpt: pl.DataFrame, tmp_path: Path
) -> None:
    credit = pl.col("Invoice").str.starts_with("C")
    bring(any_database, write(tmp_path / "sales.csv", excerpt.filter(~credit)))
    assert scalar(any_database, "SELECT sum(returned_quantity) FROM order_lines") == 0
    bring(any_database, write(tmp_path / "credits.csv", excerpt.filter(credit)))
    split = rows(any_database, "SELECT sku, returned_quantity, refunded_minor FROM order_lines ORDER BY id")
    refunded = scalar(any_database, "SELECT sum(refunded_minor) FROM payments")
    assert scalar(any_database, "SELECT count(*) FROM return_lines WHERE order_line_id IS NOT NULL") == 21
    assert refunded == sum(row[2] for row in split) > 0


def test_malformed_rows_are_kept_with_their_place_and_taken_once(
    any_database: Database, excerpt: pl.DataFrame, tmp_path: Path
) -> None:
    broken = excerpt.head(4).with_columns(
        pl.Series("Invoice", [None, None, "700001", "700002"]),
        pl.Series("Price", ["1.0", "1.0", "free", "2.0"]),
        pl.Series("InvoiceDate", ["2010-01-01 10:00:00"] * 3 + ["the day after"]),
    )
    path = write(tmp_path / "broken.csv", pl.concat([broken.select(excerpt.columns), excerpt]))
    result = bring(any_database, path)
    assert (result["classes"]["malformed"]["rows"], result["classes"]["malformed"]["invoices"]) == (4, 2)
    kept = "SELECT row_number, reason FROM import_quarantine WHERE row_class = 'malformed' ORDER BY row_number"
    assert rows(any_database, kept) == [
        (2, "no invoice number"),
        (3, "no invoice number"),
        (4, "the price is not a number within bounds"),
        (5, "unreadable date"),
    ]
    before = counts(any_database)
    bring(any_database, path)
    assert counts(any_database) == before
    assert scalar(any_database, "SELECT sum(gross_minor) FROM order_lines") == 1_433_710


def test_shuffled_rows_give_the_same_orders(database: Database, excerpt: pl.DataFrame, tmp_path: Path) -> None:
    bring(database, write(tmp_path / "shuffled.csv", excerpt.sample(fraction=1.0, shuffle=True, seed=7)))
    assert scalar(database, "SELECT count(*) FROM orders") == 56
    assert scalar(database, "SELECT sum(gross_minor) FROM order_lines") == 1_433_710


def test_a_later_history_moves_prices_and_wakes_products(
    database: Database, excerpt: pl.DataFrame, tmp_path: Path
) -> None:
    sale = excerpt.filter(pl.col("StockCode") == "22114", ~pl.col("Invoice").str.starts_with("C")).head(1)
    counted = sale.with_columns(Invoice=pl.lit("600001"), StockCode=pl.lit("99999X"), Price=pl.lit("0.0"))
    bring(database, write(tmp_path / "one.csv", pl.concat([sale, counted])))
    dearer = sale.with_columns(
        Invoice=pl.lit("600002"), Price=pl.lit("9.99"), InvoiceDate=pl.lit("2011-01-05 10:00:00")
    )
    sold = dearer.with_columns(StockCode=pl.lit("99999X"))
    bring(database, write(tmp_path / "two.csv", pl.concat([dearer, sold])))
    prices = """
        SELECT v.sku, v.is_active, p.amount_minor, p.valid_to IS NULL FROM prices p
        JOIN product_variants v ON v.id = p.variant_id ORDER BY v.sku, p.valid_from
    """
    assert rows(database, prices) == [("22114", 1, 345, 0), ("22114", 1, 999, 1), ("99999X", 1, 999, 1)]


def trade_in_rupees(database: Database) -> None:
    with database.unit_of_work(actor="test") as session:
        now = database.clock.now()
        profile = {"id": 1, "name": "S", "base_currency": "INR", "time_zone": "Asia/Kolkata", "created_at": now}
        session.execute(TABLES["shop_profile"].insert().values(profile))
        order = {
            "public_id": "ord_x",
            "order_number": "X1",
            "status": "delivered",
            "currency": "INR",
            "gross_minor": 100,
            "total_minor": 100,
            "placed_at": now,
        }
        session.execute(TABLES["orders"].insert().values(order))


def test_a_shop_in_another_currency_refuses_without_a_rate(any_database: Database) -> None:
    trade_in_rupees(any_database)
    before = counts(any_database)
    with pytest.raises(ImportRefused, match=r"trades in INR.*--rate"):
        bring(any_database, EXCERPT)
    assert counts(any_database) == before


def test_a_rate_converts_every_amount_and_orders_keep_both(any_database: Database) -> None:
    trade_in_rupees(any_database)
    result = bring(any_database, EXCERPT, rate=Decimal("105.5"))
    assert result["booked"]["currency"] == "INR"
    assert scalar(any_database, "SELECT sum(original_total_minor) FROM orders") == 1_433_710 + 47_252
    assert scalar(any_database, "SELECT count(DISTINCT original_currency) FROM orders") == 1
    totals = rows(any_database, "SELECT total_minor, original_total_minor FROM orders WHERE source = 'online_retail'")
    assert all(abs(total - original * 105.5) < 20 for total, original in totals)
    assert scalar(any_database, "SELECT count(*) FROM order_lines WHERE refunded_minor > net_minor") == 0
    assert rows(any_database, "SELECT DISTINCT currency FROM payments") == [("INR",)]
    assert scalar(any_database, "SELECT base_currency FROM shop_profile") == "INR"


def test_an_empty_shop_with_a_name_takes_the_currency_but_keeps_the_name(database: Database) -> None:
    with database.unit_of_work(actor="test") as session:
        profile = {
            "id": 1,
            "name": "My shop",
            "base_currency": "INR",
            "time_zone": "Asia/Kolkata",
            "created_at": database.clock.now(),
        }
        session.execute(TABLES["shop_profile"].insert().values(profile))
    bring(database, EXCERPT)
    assert rows(database, "SELECT name, base_currency FROM shop_profile") == [("My shop", "GBP")]


@pytest.mark.parametrize("step", ["insert_credits", "insert_returns"])
def test_a_crash_on_the_way_leaves_nothing(any_database: Database, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    before = counts(any_database)

    def crash(*args: object, **kwargs: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(load.giving_back, step, crash)
    with pytest.raises(OSError, match="disk is full"):
        bring(any_database, EXCERPT)
    assert counts(any_database) == before


def test_sums_that_do_not_agree_leave_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    before = counts(database)
    original = load.trade.insert_lines

    def lose_a_line(writer: Any, lines: pl.DataFrame, *args: Any, **kwargs: Any) -> None:
        original(writer, lines.head(lines.height - 1), *args, **kwargs)

    monkeypatch.setattr(load.trade, "insert_lines", lose_a_line)
    with pytest.raises(ImportRefused, match="gross_merchandise"):
        bring(database, EXCERPT)
    assert counts(database) == before
