"""A month of documents as the GST return wants it."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support.trade import TradeKit
from tests.transactional.documents.office import Office, seller
from transactional.core.clock import ManualClock
from transactional.documents import gst
from transactional.documents.service import SupplyKind

KERALAS = "32AAPFU0939F1Z4"
JANUARY = date(2026, 1, 1)


def summary(kit: TradeKit, month: date = JANUARY) -> gst.MonthSummary:
    with kit.database.read() as session:
        return gst.month_summary(session, month)


@pytest.mark.parametrize(
    ("day", "since", "until"),
    [
        (date(2026, 1, 15), datetime(2025, 12, 31, 18, 30, tzinfo=UTC), datetime(2026, 1, 31, 18, 30, tzinfo=UTC)),
        (date(2026, 12, 31), datetime(2026, 11, 30, 18, 30, tzinfo=UTC), datetime(2026, 12, 31, 18, 30, tzinfo=UTC)),
        (date(2028, 2, 29), datetime(2028, 1, 31, 18, 30, tzinfo=UTC), datetime(2028, 2, 29, 18, 30, tzinfo=UTC)),
    ],
)
def test_a_month_is_indian(day: date, since: datetime, until: datetime) -> None:
    assert gst.month_bounds(day) == (since, until)


def test_an_empty_month_is_empty(kit: TradeKit) -> None:
    empty = summary(kit)
    assert (list(empty.supplies), list(empty.by_hsn), list(empty.series)) == ([], [], [])
    assert gst.as_csv(empty).count("\n") == 1


def test_supplies_are_summed_by_section_place_and_rate(any_kit: TradeKit) -> None:
    kit, office = any_kit, Office(any_kit, seller())
    mug = kit.variant("MUG", price=200_000, stock=99)
    box = kit.variant("BOX", price=200_000, stock=99, tax_rate_bp=500)
    placed = [
        office.buy({mug: 1, box: 1}, to={"state": "Karnataka"}, email="a@example.com"),
        office.buy({mug: 2}, to={"state": "Kerala"}, email="b@example.com"),
        office.buy({mug: 1}, to={"state": "Karnataka", "gstin": KERALAS}, email="c@example.com"),
        office.buy({mug: 1}, to={"country": "Nepal"}, email="d@example.com"),
    ]
    for order_id in placed:
        kit.ship(order_id)
        office.settle(order_id)
    found = summary(kit)
    totals = {
        (row.section, row.supply_kind, row.place_of_supply, row.rate_bp): row.total_minor for row in found.supplies
    }
    assert totals == {
        ("B2B", SupplyKind.INTER, "32", 1_800): 200_000,
        ("B2C", SupplyKind.INTER, "32", 1_800): 400_000,
        ("B2C", SupplyKind.INTRA, "29", 500): 200_000,
        ("B2C", SupplyKind.INTRA, "29", 1_800): 200_000,
        ("EXP", SupplyKind.EXPORT, "96", 0): 200_000,
    }
    for row in found.supplies:
        assert row.total_minor == row.taxable_minor + row.cgst_minor + row.sgst_minor + row.igst_minor
    (used,) = found.series
    assert (used.first_number, used.last_number, used.count) == ("INV-2526-0000001", "INV-2526-0000004", 4)
    assert sum(row.quantity for row in found.by_hsn) == 6


def test_credit_notes_are_taken_off_in_their_own_month(office: Office, kit: TradeKit, clock: ManualClock) -> None:
    order_id = office.buy({kit.variant("MUG", price=200_000, stock=9): 2})
    kit.deliver(order_id)
    office.settle(order_id)
    clock.advance(timedelta(days=20))
    office.give_back(order_id, {kit.lines(order_id)[0].id: 2}, cause="test:1")
    office.settle(order_id)
    (january,) = summary(kit).supplies
    (february,) = summary(kit, date(2026, 2, 1)).supplies
    assert january.total_minor == 400_000
    assert february.total_minor == -400_000
    assert (february.taxable_minor, february.cgst_minor) == (-january.taxable_minor, -january.cgst_minor)
    (goods,) = summary(kit, date(2026, 2, 1)).by_hsn
    assert goods.quantity == -2


def test_the_table_is_in_rupees(office: Office, kit: TradeKit) -> None:
    order_id = office.buy({kit.variant("MUG", price=123_456_78, stock=9): 1}, to={"state": "J & K"})
    kit.ship(order_id)
    office.settle(order_id)
    (row,) = csv.DictReader(io.StringIO(gst.as_csv(summary(kit))))
    assert row["month"] == "2026-01"
    assert (row["place_code"], row["place"], row["rate_percent"]) == ("01", "Jammu and Kashmir", "18.00")
    assert row["total"] == "123456.78"
    assert float(row["igst"]) > 0
