"""Extraction on both databases: exactly once, deletes included, and a word when the journal cannot be trusted."""

import json
from pathlib import Path

import duckdb
import pytest

from pipelines import contracts
from pipelines.duck import attached
from pipelines.errors import ContractBroken, FullCopyRequired, ShopUnreachable
from pipelines.extraction import extract
from pipelines.extraction.reconcile import differences
from tests.pipelines.support import (
    NOW,
    add_customers,
    customer,
    customer_ids,
    extract_into,
    raw,
    run_sql,
    url_of,
)
from transactional.core.uow import Database


@pytest.fixture
def build(tmp_path: Path) -> Path:
    return tmp_path / "build.duckdb"


def _differences(build: Path) -> list[str]:
    with attached(build, read_only=True) as connection:
        return [str(difference) for difference in differences(connection)]


@pytest.mark.slow
def test_an_empty_shop_gives_every_raw_table(any_database: Database, build: Path) -> None:
    extract_into(build, any_database)
    names = raw(build, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'raw' ORDER BY 1")
    assert [name for (name,) in names] == sorted(contracts.load())
    assert _differences(build) == []


@pytest.mark.slow
def test_inserts_updates_and_deletes_by_bulk_sql_arrive(any_database: Database, build: Path) -> None:
    add_customers(any_database, customer(1), customer(2), customer(3))
    first = extract_into(build, any_database)
    assert first.full
    run_sql(any_database, "UPDATE customers SET full_name = 'Zoë 🎁' WHERE id = 2")
    run_sql(any_database, "DELETE FROM customers WHERE id = 1")
    add_customers(any_database, customer(4))
    second = extract_into(build, any_database)
    assert not second.full
    assert (second.rows_read, second.rows_deleted) == (2, 1)
    assert raw(build, "SELECT table_name, row_id FROM raw_ops.changed_keys ORDER BY row_id") == [
        ("customers", key) for key in (1, 2, 4)
    ]
    assert raw(build, 'SELECT "full" FROM raw_ops.extract_state') == [(False,)]
    assert raw(build, "SELECT id, full_name FROM raw.customers ORDER BY id") == [(2, "Zoë 🎁"), (3, None), (4, None)]
    assert _differences(build) == []


@pytest.mark.slow
def test_a_run_without_changes_reads_nothing(any_database: Database, build: Path) -> None:
    add_customers(any_database, customer(1))
    extract_into(build, any_database)
    assert extract_into(build, any_database).tables == ()


@pytest.mark.slow
def test_a_rolled_back_change_leaves_no_trace(any_database: Database, build: Path) -> None:
    extract_into(build, any_database)
    with any_database.engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO counters (id, series, value) VALUES (1, 'orders', 1)")
        connection.rollback()
    assert extract_into(build, any_database).tables == ()


@pytest.mark.slow
def test_values_of_every_type_arrive_unharmed(any_database: Database, build: Path) -> None:
    """NULLs first (drivers guess types from the first rows), beyond 32 bits, negative, Unicode, JSON, dates."""
    add_customers(any_database, *(customer(key) for key in range(1, 1_200)))
    add_customers(any_database, customer(5_000_000_000, name="ஆனந்த் 🎂\n'quoted' \"twice\"", email="a@b.in"))
    run_sql(any_database, "UPDATE customers SET birthday = '1969-07-20' WHERE id = 5000000000")
    run_sql(any_database, "INSERT INTO counters (id, series, value) VALUES (1, 'a', 9000000000), (2, 'b', -12)")
    report = json.dumps({"rows": [1, None, "ü"]}, ensure_ascii=False)
    run_sql(
        any_database,
        "INSERT INTO import_runs (id, source, file_name, file_sha256, report, finished_at)"
        " VALUES (1, 's', 'f', 'h', :report, '2026-01-01 23:59:59.999999')",
        {"report": report},
    )
    extract_into(build, any_database)
    sql = "SELECT id, full_name, email, birthday::VARCHAR, created_at, marketing_consent FROM raw.customers"
    assert raw(build, f"{sql} ORDER BY id DESC LIMIT 1") == [
        (5_000_000_000, "ஆனந்த் 🎂\n'quoted' \"twice\"", "a@b.in", "1969-07-20", NOW.replace(tzinfo=None), True)
    ]
    assert raw(build, f"{sql} ORDER BY id LIMIT 1") == [(1, None, None, None, NOW.replace(tzinfo=None), True)]
    assert raw(build, "SELECT value FROM raw.counters ORDER BY id") == [(9_000_000_000,), (-12,)]
    [(stored, finished)] = raw(build, "SELECT report, finished_at::VARCHAR FROM raw.import_runs")
    assert json.loads(stored) == json.loads(report)
    assert finished == "2026-01-01 23:59:59.999999"
    assert _differences(build) == []


@pytest.mark.slow
def test_no_password_hash_reaches_the_warehouse(any_database: Database, build: Path) -> None:
    run_sql(
        any_database,
        "INSERT INTO users (public_id, email, email_key, password_hash, full_name, is_active, session_epoch,"
        " created_at) VALUES ('u', 'a@b', 'a@b', 'secret', 'A', :yes, 0, '2026-01-01 00:00:00')",
        {"yes": True},
    )
    extract_into(build, any_database)
    columns = raw(build, "SELECT column_name FROM duckdb_columns() WHERE table_name = 'users'")
    assert "password_hash" not in {name for (name,) in columns}
    assert raw(build, "SELECT email FROM raw.users") == [("a@b",)]


@pytest.mark.slow
def test_full_copies_again_and_forgets_strangers(any_database: Database, build: Path) -> None:
    add_customers(any_database, customer(1))
    extract_into(build, any_database)
    with attached(build) as connection:
        connection.execute("INSERT INTO raw.customers (id) VALUES (99)")
        connection.execute("CREATE TABLE raw.gone_from_the_shop AS SELECT 1 AS id")
    report = extract_into(build, any_database, full=True)
    assert report.full
    assert customer_ids(build) == [1]
    assert raw(build, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'gone_from_the_shop'") == [(0,)]


@pytest.mark.slow
def test_a_table_whose_contract_changed_is_copied_whole(any_database: Database, build: Path) -> None:
    add_customers(any_database, customer(1, name="A"))
    narrow = dict(contracts.load())
    customers = narrow["customers"]
    narrow["customers"] = contracts.Table(customers.name, customers.columns[:3], customers.feed, None)
    extract_into(build, any_database, tables=narrow)
    report = extract_into(build, any_database)
    assert [(table.table, table.mode, table.rows_read) for table in report.tables] == [("customers", "whole", 1)]
    assert raw(build, "SELECT full_name FROM raw.customers") == [("A",)]
    assert raw(build, 'SELECT "full" FROM raw_ops.extract_state') == [(True,)]  # models may not trust what they have
    assert _differences(build) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shipments", "behaviour_events"])
def test_a_table_that_is_new_or_gained_columns_is_read_whole(database: Database, build: Path, name: str) -> None:
    """No journal row tells of a column that a migration filled, and a feed's position knows nothing of columns."""
    before = {key: table for key, table in contracts.load().items() if key != name}
    extract_into(build, database, tables=before)
    assert [(t.table, t.mode) for t in extract_into(build, database).tables] == [(name, "whole")]
    wide = contracts.load()[name]
    narrow = contracts.Table(wide.name, wide.columns[:-1], wide.feed, wide.day_column)
    extract_into(build, database, tables=before | {name: narrow})
    assert [(t.table, t.mode) for t in extract_into(build, database).tables] == [(name, "whole")]
    assert extract_into(build, database).tables == ()


@pytest.mark.slow
def test_a_column_the_shop_does_not_have_is_named(any_database: Database, build: Path) -> None:
    broken = dict(contracts.load())
    colour = contracts.Column("colour", contracts.ColumnType.VARCHAR, nullable=True)
    broken["customers"] = contracts.Table("customers", (*broken["customers"].columns, colour))
    with pytest.raises(ContractBroken, match="colour"):
        extract_into(build, any_database, tables=broken)
    assert raw(build, "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'raw'") == [(0,)]


def test_a_value_that_breaks_its_contract_is_refused_with_its_place(database: Database, build: Path) -> None:
    run_sql(database, "INSERT INTO counters (id, series, value) VALUES (1, 'a', 'many')")
    with pytest.raises(ContractBroken, match=r"raw\.counters\.value is BIGINT by contract"):
        extract_into(build, database)


@pytest.mark.slow
def test_a_pruned_journal_demands_a_full_copy(any_database: Database, build: Path) -> None:
    add_customers(any_database, customer(1))
    extract_into(build, any_database)
    add_customers(any_database, customer(2))
    add_customers(any_database, customer(3))
    run_sql(any_database, "DELETE FROM journal WHERE seq < (SELECT max(seq) FROM journal)")
    with pytest.raises(FullCopyRequired, match="refresh --full"):
        extract_into(build, any_database)
    assert customer_ids(build) == [1]
    extract_into(build, any_database, full=True)
    assert customer_ids(build) == [1, 2, 3]


@pytest.mark.slow
def test_a_journal_pruned_up_to_the_cursor_is_fine(database: Database, build: Path) -> None:
    add_customers(database, customer(1))
    extract_into(build, database)
    run_sql(database, "DELETE FROM journal")
    assert extract_into(build, database).tables == ()
    add_customers(database, customer(2))
    extract_into(build, database)
    assert customer_ids(build) == [1, 2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("position = position + 1000000", "another shop or an older copy|moved or restored"),
        ("source_id = 'elsewhere'", "another shop database"),
        ("dialect = 'oracle'", "was read from oracle"),
    ],
)
def test_a_cursor_of_another_shop_demands_a_full_copy(
    any_database: Database, build: Path, change: str, message: str
) -> None:
    add_customers(any_database, customer(1))
    extract_into(build, any_database)
    with attached(build) as connection:
        connection.execute(f"UPDATE raw_ops.extraction_cursor SET {change}")
    with pytest.raises(FullCopyRequired, match=message):
        extract_into(build, any_database)


@pytest.mark.slow
def test_cursor_and_rows_are_one_transaction(database: Database, build: Path) -> None:
    """A merge that fails half-way leaves neither rows nor cursor behind."""
    add_customers(database, customer(1))
    extract_into(build, database)
    before = raw(build, "SELECT feed, position FROM raw_ops.extraction_cursor ORDER BY feed")
    add_customers(database, customer(2))
    run_sql(database, "INSERT INTO locations (id, code, name) VALUES (99, 'k', 'n')")

    def fail(report: object) -> None:
        raise duckdb.IOException("disk full")

    with pytest.raises(duckdb.IOException):
        extract_into(build, database, on_table=fail)
    assert customer_ids(build) == [1]
    assert raw(build, "SELECT feed, position FROM raw_ops.extraction_cursor ORDER BY feed") == before
    extract_into(build, database)
    assert customer_ids(build) == [1, 2]


@pytest.mark.slow
def test_events_are_their_own_feed(any_database: Database, build: Path) -> None:
    insert = (
        "INSERT INTO behaviour_events (event_id, anonymous_id, session_id, type, properties, is_bot, server_time)"
        " VALUES (:key, 'v', 's', 'view', '{}', :no, '2026-01-01 00:00:00')"
    )
    run_sql(any_database, insert, {"key": "a", "no": False})
    extract_into(build, any_database)
    run_sql(any_database, insert, {"key": "b", "no": False})
    report = extract_into(build, any_database)
    assert [(table.table, table.mode) for table in report.tables] == [("behaviour_events", "changes")]
    assert raw(build, "SELECT event_id FROM raw.behaviour_events ORDER BY id") == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("url", "message"),
    [("sqlite:////nowhere/shop.db", "no shop database at /nowhere"), ("mysql://x/y", "must begin with")],
)
def test_a_shop_that_is_not_there_is_named(build: Path, url: str, message: str) -> None:
    with pytest.raises(ShopUnreachable, match=message):
        extract(url, build, now=NOW)


def test_a_file_that_is_no_shop_is_named(build: Path, tmp_path: Path) -> None:
    import sqlite3

    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t (x)")
    with pytest.raises(ShopUnreachable, match="no journal"):
        extract(f"sqlite:///{tmp_path / 'other.db'}", build, now=NOW)


@pytest.mark.slow
def test_a_folder_with_spaces_and_signs_is_a_place_like_any_other(database: Database, tmp_path: Path) -> None:
    import shutil

    odd = tmp_path / "été & co #1.d"
    odd.mkdir()
    database.engine.dispose()
    source = url_of(database).removeprefix("sqlite:///")
    shutil.copy(source, odd / "shop.db")
    report = extract(f"sqlite:///{odd}/shop.db", odd / "b.duckdb", now=NOW)
    assert report.full
