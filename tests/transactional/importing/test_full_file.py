"""The whole first year, to the penny; needs the file itself, which is not part of the project."""

import os
from pathlib import Path

import pytest
from sqlalchemy import text

from transactional.core.uow import Database
from transactional.importing.load import import_files, judge

FILE = os.environ.get("MLT_ONLINE_RETAIL")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILE, reason="set MLT_ONLINE_RETAIL to the Online Retail II file of 2009-2010"),
]


def test_the_figures_of_2009_2010(database: Database) -> None:
    assert FILE
    judged = judge(Path(FILE), time_zone="Europe/London")
    result = import_files(database, [judged], time_zone="Europe/London", shop_name="Test")
    keys = ("rows", "invoices", "customers", "units", "amount")
    assert {name: tuple(figures[key] for key in keys) for name, figures in result["classes"].items()} == {
        "merchandise": (509_292, 20_573, 4_285, 5_825_601, 9_839_818.30),
        "return": (9_582, 4_106, 1_687, -209_861, -247_864.77),
        "stock_adjustment": (3_687, 3_346, 24, -186_472, 0.00),
        "shipping": (1_730, 1_728, 302, 3_008, 168_894.35),
        "adjustment": (996, 912, 421, 1_477, -145_944.86),
        "discount": (100, 90, 43, -1_678, -7_788.32),
        "fee": (74, 70, 15, -34, -67_630.07),
        "malformed": (0, 0, 0, 0, 0.0),
    }
    file = result["files"][0]
    assert tuple(file[key] for key in keys) == (525_461, 28_816, 4_383, 5_432_041, 9_539_484.63)
    assert (file["stock_codes"], file["countries"], file["exact_duplicate_rows"]) == (4_632, 40, 6_865)
    booked = result["booked"]
    assert (booked["orders"], booked["guest_orders"]) == (20_573, 1_607)
    assert (booked["shipping_charged"], booked["shipping_refunded"]) == (164_238.86, 3_616.90)
    _check_months(database)
    _check_best_sellers(database)


def _check_months(database: Database) -> None:
    orders = "SELECT count(*), sum(gross_minor) FROM orders WHERE strftime('%Y-%m', placed_at) = :month"
    returns = "SELECT sum(refund_minor) FROM returns WHERE strftime('%Y-%m', processed_at) = :month"
    with database.read() as session:
        found = {
            month: (
                *session.execute(text(orders), {"month": month}).one(),
                session.scalar(text(returns), {"month": month}),
            )
            for month in ("2009-12", "2010-05", "2010-11", "2010-12")
        }
    assert found == {
        "2009-12": (1_666, 80_132_034, 1_956_128),
        "2010-05": (1_484, 64_573_900, 3_729_414),
        "2010-11": (2_719, 143_573_118, 3_512_088),
        "2010-12": (830, 40_922_656, 686_305),
    }


def _check_best_sellers(database: Database) -> None:
    best = "SELECT sku, sum(gross_minor) AS minor FROM order_lines GROUP BY sku ORDER BY minor DESC LIMIT 5"
    with database.read() as session:
        assert [tuple(row) for row in session.execute(text(best))] == [
            ("22423", 17_007_851),
            ("85123A", 16_063_078),
            ("85099B", 9_122_642),
            ("84879", 7_309_299),
            ("22086", 5_818_925),
        ]
