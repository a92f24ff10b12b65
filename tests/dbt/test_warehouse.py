"""Builds of a whole warehouse: incremental equals full, the past does not know the future, audits stop defects."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.dbt.conftest import Warehouse
from tests.dbt.raw_marketing import set_up_marketing, use_marketing
from tests.dbt.raw_shop import START, RawShop
from transactional.suppliers.demand import Demand, orderable, safety_stock, units_up

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dbt")]

NO_UNIT_TESTS = ("--exclude", "resource_type:unit_test")
CUSTOMER_MARTS = ("customer_rfm", "cohort_retention", "customer_acquisition", "dim_customers", "customer_churn")


def _history(shop: RawShop) -> None:
    shop.set_the_stage()
    set_up_marketing(shop)
    shop.trade(range(1, 90), seed=1)
    use_marketing(shop)
    shop.put("order_credits", 1, kind="discount", customer_id=3, amount_minor=250, currency="INR",
             occurred_at=START + timedelta(days=30))  # fmt: skip
    paid = _delivered(shop)
    shop.call_off_a_unit(paid[0], START + timedelta(days=40), shipping=4900)
    shop.add_a_line(paid[1], START + timedelta(days=300))
    shop.fail_to_refund(3000, paid[2], 700, START + timedelta(days=60))
    shop.fail_to_refund(3001, paid[3], 500, START + timedelta(days=60))
    shop.give_money_back(3002, paid[3], 500, START + timedelta(days=61), return_id=None, on_paper=False)
    shop.put("reconciliation_runs", 1, gateway="razorpay", state="finished")
    shop.put("gateway_differences", 1, gateway="razorpay", kind="captured", reference="pay_1", currency="INR",
             ours_minor=100, theirs_minor=99, resolved_at=START)  # fmt: skip


def _delivered(shop: RawShop) -> list[int]:
    """Delivered orders of which nothing came back yet, several units on the first line."""
    rows = shop.select(
        "SELECT o.id FROM raw.orders o JOIN raw.order_lines l ON l.id = o.id * 10 WHERE o.status = 'delivered'"
        " AND NOT o.is_test AND l.returned_quantity = 0 AND l.quantity > 1 ORDER BY o.id"
    )
    return [row_id for (row_id,) in rows]


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


def test_suggestions_are_the_shops_own_to_the_unit(warehouse: Warehouse, built: Path) -> None:
    _again(warehouse, built)
    rows = warehouse.rows(
        "SELECT reorder_policy, d.demand_days, d.demand_units, d.demand_squares, lead_time_days,"
        " round(service_level * 10000)::BIGINT, reorder_point, available + on_order, pack_size, minimum_quantity,"
        " suggested_order FROM marts.stock_positions AS p"
        " JOIN intermediate.int_stock_demand AS d USING (variant_id, location_id)"
    )
    assert len(rows) == 10
    for policy, days, units, squares, lead, level, point, projected, pack, minimum, suggested in rows:
        sold = Demand(days, units, squares)  # type: ignore[arg-type]
        terms = {"lead_time_days": lead, "service_level_bp": level}
        wanted = units_up(float(sold.over(lead)) + safety_stock(sold, **terms))  # type: ignore[arg-type]
        assert point == (40 if policy == "fixed" else wanted)
        needed = point - projected
        assert suggested == orderable(needed, pack_size=pack, minimum_quantity=minimum)  # type: ignore[arg-type]
    assert any(suggested for *_, suggested in rows)


def test_the_liability_is_what_the_shop_answers_with(warehouse: Warehouse, built: Path) -> None:
    """By state on the last day, and on the day on which customer 3 owed sixty points that nobody had paid yet."""
    _again(warehouse, built)
    (balances,) = warehouse.rows(
        "SELECT sum(active)::BIGINT, sum(pending)::BIGINT, -sum(owed)::BIGINT, sum(active + pending - owed) / 1.0"
        " FROM raw.point_balances"
    )
    standing = "SELECT sum(balance_points)::BIGINT FROM marts.loyalty_liability WHERE state = '{0}' AND date_day = {1}"
    last = "(SELECT max(date_day) FROM marts.loyalty_liability)"
    states = [warehouse.rows(standing.format(state, last))[0][0] for state in ("active", "pending", "owed")]
    assert states == list(balances[:3])
    (owed,) = warehouse.rows(
        "SELECT balance_points, value_owed, loyalty_tier FROM marts.loyalty_liability WHERE state = 'owed'"
        f" AND date_day = DATE '{(START + timedelta(days=45)).date()}' AND balance_points <> 0"
    )
    assert owed == (-60, Decimal("-60.00"), "Bronze")
    assert warehouse.rows("SELECT loyalty_tier FROM marts.dim_customers WHERE customer_id IN (3, 4, 5) ORDER BY 1") == [
        ("Bronze",),
        ("Silver",),
        ("none",),
    ]


def test_an_offer_with_a_hold_out_has_an_uplift_and_the_others_have_none(warehouse: Warehouse, built: Path) -> None:
    _again(warehouse, built)
    rows = warehouse.rows(
        "SELECT offer_label, uplift_state, uplift_per_person IS NOT NULL, uses, discount_cost / nullif(uses, 0)"
        " FROM marts.coupon_performance ORDER BY 1"
    )
    assert [row[:3] for row in rows] == [
        ("DIWALI", "measured", True),
        ("automatic", "no control group", False),
        ("batch Fair", "measured", True),
    ]
    assert {row[4] for row in rows if row[3]} <= {5.0, 49.0}
    assert any(row[3] for row in rows)
    (commission,) = warehouse.rows(
        "SELECT orders, refused_orders, clicks, commission_paid, commission_payable FROM marts.referral_performance"
        " WHERE referrer_kind = 'affiliate'"
    )
    assert commission == (1, 1, 5, Decimal("6.00"), Decimal("0.00"))


def test_every_open_order_has_its_age(warehouse: Warehouse, built: Path) -> None:
    _again(warehouse, built)
    open_orders = warehouse.rows(
        "SELECT status, count(*) FROM marts.fct_orders WHERE status NOT IN ('delivered', 'cancelled', 'expired')"
        " GROUP BY 1 ORDER BY 1"
    )
    aged = warehouse.rows(
        "SELECT status, sum(orders)::BIGINT FROM marts.order_ageing GROUP BY 1 HAVING sum(orders) > 0 ORDER BY 1"
    )
    assert open_orders
    assert aged == open_orders


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
        shop.remove("point_consumptions", _first(shop, "point_consumptions"))
        shop.change("customers", 3, user_id=77)
        shop.put("visitor_identities", 2, anonymous_id="visitor-4", customer_id=9)
        shop.remove("visitor_identities", 1)
        shop.remove("order_lines", 131)
        shop.remove("refunds", _first(shop, "refunds"))
        shop.remove("shipments", _first(shop, "shipments"))
        shop.remove("shipment_items", _first(shop, "shipment_items"))
        shop.remove("order_unit_moves", _first(shop, "order_unit_moves"))
        shop.call_off_a_unit(_delivered(shop)[3], START + timedelta(days=200))
        shop.add_a_line(_delivered(shop)[4], START + timedelta(days=330))
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
        shop.call_off_a_unit(_delivered(shop)[2], as_of + timedelta(days=1), shipping=4900)
        shop.add_a_line(_delivered(shop)[3], as_of + timedelta(days=1))

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


def test_a_closed_day_does_not_grow_when_a_line_is_added_later(warehouse: Warehouse, built: Path) -> None:
    _again(warehouse, built)
    daily = "SELECT date_day, gross_merchandise, net_merchandise FROM intermediate.int_daily_sales ORDER BY 1"
    before = warehouse.rows(daily)
    added_on = START + timedelta(days=350)
    with warehouse.raw() as shop:
        shop.next_extraction(full=False)
        shop.add_a_line(_delivered(shop)[5], added_on)
    warehouse.succeed("run", "--select", "+int_daily_sales")
    changed = set(warehouse.rows(daily)) ^ set(before)
    assert {row[0] for row in changed} == {added_on.date()}


DEFECTS = {
    "gateway_differences_are_explained": "UPDATE raw.gateway_differences SET resolved_at = NULL",
    "postings_sum_to_zero": "UPDATE raw.ledger_postings SET amount_minor = amount_minor + 1 WHERE id ="
    " (SELECT min(id) FROM raw.ledger_postings WHERE account = 'gateway_clearing')",
    "ledger_equals_payments": "UPDATE raw.ledger_transactions SET order_id = order_id + 1 WHERE id ="
    " (SELECT min(id) FROM raw.ledger_transactions)",
    "refunds_equal_payments": "UPDATE raw.refunds SET amount_minor = amount_minor + 1 WHERE id ="
    " (SELECT min(id) FROM raw.refunds)",
    "stock_equals_movements_and_holds": "UPDATE raw.stock_levels SET reserved = reserved + 1 WHERE id = 3",
    "documents_equal_payments": "UPDATE raw.tax_documents SET total_minor = total_minor - 1,"
    " taxable_minor = taxable_minor - 1 WHERE id = (SELECT min(id) FROM raw.tax_documents)",
    "points_equal_balances": "UPDATE raw.point_balances SET pending = pending + 1 WHERE id = 3",
    "consumptions_fit_their_lots": "UPDATE raw.point_lots SET remaining = remaining + 1 WHERE id = 9001",
    "debits_are_covered_by_lots": "UPDATE raw.point_consumptions SET amount = amount - 1 WHERE entry_id = 9013",
    "redemptions_equal_counters": "UPDATE raw.coupon_codes SET used = used + 1 WHERE id = 1",
    "order_discounts_equal_orders": "UPDATE raw.order_discounts SET amount_minor = amount_minor + 1 WHERE id = 13",
    "commissions_equal_balances": "UPDATE raw.commission_balances SET paid_minor = paid_minor + 1",
    "one_attribution_an_order": "INSERT INTO raw.order_attributions SELECT * REPLACE (9999 AS id)"
    " FROM raw.order_attributions",
}
BOOKS = (
    "fct_payment_differences",
    "fct_refunds",
    "fct_tax_documents",
    "fct_coupon_redemptions",
    "fct_order_discounts",
    "fct_commissions",
    "int_point_steps",
)


def test_books_that_do_not_close_by_one_paisa_or_unit_stop_the_build(warehouse: Warehouse, built: Path) -> None:
    """Each reconciliation finds the defect made for it; `built` has shown that sound books pass them all."""
    _again(warehouse, built)
    with warehouse.raw() as shop:
        shop.next_extraction(full=False)
        for defect in DEFECTS.values():
            shop.execute(defect)
        shop.change("refunds", _first(shop, "refunds"), reason="looked at again")
    # Not `build`, which leaves out the tests of whatever stands behind a defect that was found already.
    warehouse.succeed("run", "--select", *BOOKS)
    done = warehouse.dbt("test", "--select", "tests/reconciliation")
    assert done.returncode != 0
    failed = {name for name in DEFECTS if any("FAIL" in line and name in line for line in done.stdout.splitlines())}
    assert failed == set(DEFECTS)


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
