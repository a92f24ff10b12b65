"""Builds of a whole warehouse: incremental equals full, the past does not know the future, audits stop defects."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.dbt.conftest import Warehouse
from tests.dbt.raw_shop import START, RawShop

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dbt")]

NO_UNIT_TESTS = ("--exclude", "resource_type:unit_test")
CUSTOMER_MARTS = ("customer_rfm", "cohort_retention", "customer_acquisition", "dim_customers", "customer_churn")


def _history(shop: RawShop) -> None:
    shop.set_the_stage()
    shop.trade(range(1, 90), seed=1)
    shop.put("order_credits", 1, kind="discount", customer_id=3, amount_minor=250, currency="INR",
             occurred_at=START + timedelta(days=30))  # fmt: skip


def _differences(left: Path, right: Path) -> Iterator[str]:
    """Tables of two builds that do not hold the same rows."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{left}' AS l (READ_ONLY)")
        connection.execute(f"ATTACH '{right}' AS r (READ_ONLY)")
        tables = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'r'"
            " AND schema_name IN ('marts', 'intermediate') AND table_name <> 'int_changed_orders' ORDER BY ALL"
        ).fetchall()
        assert len(tables) > 30
        for schema, table in tables:
            name = f'"{schema}"."{table}"'
            for one, other in (("l", "r"), ("r", "l")):
                found = connection.execute(
                    f"SELECT count(*) FROM (FROM {one}.{name} EXCEPT ALL FROM {other}.{name})"
                ).fetchone()
                if found and found[0]:
                    yield f"{name}: {found[0]} rows only in {'the first' if one == 'l' else 'the second'}"


@pytest.fixture(scope="module")
def built(warehouse: Warehouse) -> Path:
    """The history, built in full with all tests."""
    warehouse.start(_history)
    warehouse.succeed("build", *NO_UNIT_TESTS)
    return warehouse.keep("built")


def _again(warehouse: Warehouse, built: Path) -> None:
    warehouse.path.write_bytes(built.read_bytes())


def test_unit_tests_of_the_models(warehouse: Warehouse, built: Path) -> None:
    _again(warehouse, built)
    warehouse.succeed("test", "--select", "test_type:unit")


def test_marts_answer_with_the_shops_sums(warehouse: Warehouse, built: Path) -> None:
    _again(warehouse, built)
    (sold,) = warehouse.rows(
        "SELECT sum(l.net_minor) FROM raw.order_lines l JOIN raw.orders o ON l.order_id = o.id"
        " WHERE NOT is_test AND (paid_at IS NOT NULL OR (payment_mode = 'on_delivery' AND status <> 'cancelled'))"
    )
    (back,) = warehouse.rows("SELECT sum(returned_amount) FROM marts.fct_returned_lines")
    (net,) = warehouse.rows("SELECT sum(net_merchandise) FROM marts.sales_by_period WHERE period_grain = 'month'")
    assert isinstance(sold[0], int)
    assert isinstance(back[0], Decimal)
    assert back[0] > 0
    assert net[0] == Decimal(sold[0]) / 100 - back[0] - Decimal("2.50")


def test_an_incremental_build_equals_a_full_one(warehouse: Warehouse, built: Path) -> None:
    _again(warehouse, built)
    with warehouse.raw() as shop:
        shop.next_extraction(full=False)
        shop.trade(range(90, 120), seed=2)
        _unpaid_orders_are_paid(warehouse, shop)
        shop.change("orders", 8, customer_id=4)
        shop.change("orders", 12, is_test=True)
        shop.change("customers", 20, email="late@example.org")
        shop.change("customers", 19, email=None)
        shop.change("point_lots", _first(shop, "point_lots"), expires_at=START + timedelta(days=900))
        shop.put("visitor_identities", 2, anonymous_id="visitor-4", customer_id=9)
        shop.remove("visitor_identities", 1)
        shop.remove("order_lines", 131)
        shop.remove("refunds", _first(shop, "refunds"))
        shop.remove("shipments", _first(shop, "shipments"))
    warehouse.succeed("run")
    incremental = warehouse.keep("incremental")
    warehouse.succeed("run", "--full-refresh")
    assert list(_differences(incremental, warehouse.path)) == []


def test_a_small_change_replaces_small_things(warehouse: Warehouse, built: Path) -> None:
    """Nothing that vanished, so only the touched customers' orders are looked at; the result is a full build's."""
    _again(warehouse, built)
    with warehouse.raw() as shop:
        shop.next_extraction(full=False)
        shop.trade(range(90, 93), seed=3)
        _unpaid_orders_are_paid(warehouse, shop)
    warehouse.succeed("run")
    (touched,) = warehouse.rows("SELECT count(*) FROM intermediate.int_changed_orders")
    assert isinstance(touched[0], int)
    assert 0 < touched[0] < 30
    incremental = warehouse.keep("small")
    warehouse.succeed("run", "--full-refresh")
    assert list(_differences(incremental, warehouse.path)) == []


def _unpaid_orders_are_paid(warehouse: Warehouse, shop: RawShop) -> None:
    """Late payments: the first order of a customer may now be another one."""
    for (order,) in shop.select("SELECT id FROM raw.orders WHERE status = 'expired' AND id < 40"):
        paid = START + timedelta(days=200)
        shop.change("orders", order, status="paid", paid_at=paid)
        shop.put("order_status_changes", order * 10 + 9, order_id=order, to_status="paid", occurred_at=paid)


def _first(shop: RawShop, table: str) -> int:
    ((row_id,),) = shop.select(f"SELECT min(id) FROM raw.{table}")
    assert isinstance(row_id, int)
    return row_id


def test_customer_figures_do_not_know_the_future(warehouse: Warehouse, built: Path) -> None:
    """With `as_of` the figures are those of a shop whose later history has not happened."""
    as_of = START + timedelta(days=250)

    def until_then(shop: RawShop) -> None:
        shop.set_the_stage()
        shop.trade(range(1, 58), seed=1)  # the last of them has long been delivered and returned
        shop.put("order_credits", 1, kind="discount", customer_id=3, amount_minor=250, currency="INR",
                 occurred_at=START + timedelta(days=30))  # fmt: skip

    def and_later(shop: RawShop) -> None:
        until_then(shop)
        shop.trade(range(70, 90), seed=5)
        shop.take_back(4, as_of + timedelta(days=1))

    variables = ("--vars", f"{{as_of: '{as_of.isoformat(sep=' ')}'}}")
    wanted = [f"+{mart}" for mart in CUSTOMER_MARTS]
    figures = []
    for fill in (until_then, and_later):
        warehouse.start(fill)
        warehouse.succeed(
            "build", *variables, "--select", *wanted, "--exclude", "resource_type:unit_test", "test_type:data"
        )
        figures.append({mart: warehouse.rows(f"FROM marts.{mart} ORDER BY ALL") for mart in CUSTOMER_MARTS})
    assert figures[0] == figures[1]


def test_a_shop_without_trade_builds(warehouse: Warehouse) -> None:
    warehouse.start(lambda shop: shop.set_the_stage())
    warehouse.succeed("build", *NO_UNIT_TESTS)
    assert warehouse.rows("SELECT DISTINCT rfm_segment FROM marts.customer_rfm") == [("prospects",)]


@pytest.mark.parametrize(
    ("defect", "caught_by"),
    [
        ("UPDATE raw.order_lines SET gross_minor = gross_minor + 1, net_minor = net_minor + 1 WHERE id = 10",
         "lines_sum_to_orders"),
        ("INSERT INTO raw.order_lines SELECT * FROM raw.order_lines WHERE id = 10", "changed_rows_are_unique"),
    ],
)  # fmt: skip
def test_a_defect_in_the_source_stops_the_build(warehouse: Warehouse, built: Path, defect: str, caught_by: str) -> None:
    _again(warehouse, built)
    with warehouse.raw() as shop:
        shop.next_extraction(full=False)
        shop.execute(defect)
        shop.change("order_lines", 10, tax_minor=0)
    done = warehouse.dbt("build", *NO_UNIT_TESTS, "--select", "+fct_orders", "+fct_order_lines")
    assert done.returncode != 0
    assert caught_by in done.stdout
