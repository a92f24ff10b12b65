"""Payouts: each lot once, also for two batches at once; a batch lists its lots and never changes."""

import csv
import io

import pytest
from sqlalchemy import update

from tests.support.parallel import at_once, failures, successes
from tests.transactional.affiliates.desk import Desk
from transactional.affiliates import service as affiliates
from transactional.affiliates.models import PayoutBatch, PayoutLot
from transactional.core.errors import Conflict
from transactional.core.pagination import Cursor


def earned(desk: Desk, affiliate: int, mug: int, *, email: str) -> int:
    """An order whose commission is approved."""
    order = desk.buy({mug: 1}, visitor_id=desk.click(affiliate), email=email)
    desk.mature(order)
    return order


def batches(desk: Desk) -> list[PayoutBatch]:
    with desk.kit.database.read() as session:
        return list(affiliates.page_of_batches(session, Cursor(limit=50, after=None))[0])


def test_a_batch_lists_its_lots_and_its_export_is_always_the_same(desk: Desk) -> None:
    mug, programme = desk.kit.variant("MUG", stock=99), desk.programme()
    one = desk.affiliate(programme, full_name="=HYPERLINK(evil)", pay_to="+91 98765 43210")
    two = desk.affiliate(programme, "two@example.com", full_name='Māyā, "Q"', line1="9 Lake Road")
    for i, affiliate in enumerate((one, two, one)):
        earned(desk, affiliate, mug, email=f"{i}@example.com")
    assert desk.pay_out(programme) == 30_000
    (batch,) = batches(desk)
    assert (batch.payouts, batch.lots, batch.total_minor) == (2, 3, 30_000)
    with desk.kit.database.read() as session:
        content = affiliates.export(session, batch)
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert sum(int(row["amount"].replace(".", "")) for row in rows) == batch.total_minor
    assert {row["name"] for row in rows} == {"'=HYPERLINK(evil)", 'Māyā, "Q"'}
    assert {row["pay_to"] for row in rows} == {"'+91 98765 43210", "upi:asha@bank"}
    desk.deactivate(one)
    with desk.kit.database.read() as session:
        assert affiliates.export(session, batch) == content
    desk.assert_sound()


def test_an_export_of_changed_rows_is_refused(desk: Desk) -> None:
    mug, programme = desk.kit.variant("MUG", stock=99), desk.programme()
    earned(desk, desk.affiliate(programme), mug, email="a@example.com")
    desk.pay_out(programme)
    desk.kit.run(lambda s: s.execute(update(PayoutLot).values(amount_minor=1)) and None)
    with desk.kit.database.read() as session, pytest.raises(Conflict, match="not those that were paid"):
        affiliates.export(session, batches(desk)[0])


def test_less_than_the_least_payout_is_kept_for_the_next_one(desk: Desk) -> None:
    mug, programme = desk.kit.variant("MUG", stock=99), desk.programme(min_payout_minor=15_000)
    affiliate = desk.affiliate(programme)
    earned(desk, affiliate, mug, email="a@example.com")
    with pytest.raises(Conflict, match="15000"):
        desk.pay_out(programme)
    earned(desk, affiliate, mug, email="b@example.com")
    assert desk.pay_out(programme) == 20_000
    with pytest.raises(Conflict, match="nobody"):
        desk.pay_out(programme)


def test_two_batches_at_once_pay_every_lot_once(pg_desk: Desk) -> None:
    desk = pg_desk
    mug, programme = desk.kit.variant("MUG", stock=99), desk.programme()
    members = [desk.affiliate(programme, f"{i}@affiliates.example", phone=f"900000000{i}") for i in range(3)]
    for i in range(6):
        earned(desk, members[i % 3], mug, email=f"{i}@example.com")
    outcomes = at_once([lambda: desk.pay_out(programme)] * 4)
    assert successes(outcomes) == [60_000]
    assert all(isinstance(error, Conflict) for error in failures(outcomes))
    assert desk.kit.count(PayoutLot) == 6
    desk.assert_sound()


def test_a_return_and_a_payout_at_once_never_pay_what_came_back(pg_desk: Desk) -> None:
    desk = pg_desk
    mug, programme = desk.kit.variant("MUG", stock=99), desk.programme()
    affiliate = desk.affiliate(programme)
    orders = [earned(desk, affiliate, mug, email=f"{i}@example.com") for i in range(3)]
    lines = {order: desk.kit.lines(order)[0].id for order in orders}
    works = [
        lambda order=order: desk.give_back(order, {lines[order]: 1}, cause=f"return:{order}") for order in orders[:2]
    ]
    outcomes = at_once([*works, lambda: desk.pay_out(programme)])
    assert not failures(outcomes)
    balance = desk.balance(affiliate)
    assert balance.paid_minor + balance.payable_minor - balance.owed_minor == 10_000
    desk.assert_sound()


def test_new_orders_and_a_payout_at_once_wait_for_nobody_in_a_ring(pg_desk: Desk) -> None:
    desk = pg_desk
    mug, programme = desk.kit.variant("MUG", stock=99), desk.programme()
    affiliate = desk.affiliate(programme)
    earned(desk, affiliate, mug, email="first@example.com")
    fresh = [
        desk.buy({mug: 1}, visitor_id=desk.click(affiliate), email=f"{i}@example.com", settle=False) for i in range(4)
    ]
    outcomes = at_once([*(lambda order=order: desk.settle(order) for order in fresh), lambda: desk.pay_out(programme)])
    assert not failures(outcomes)
    numbers = sorted(found.number for order in fresh if (found := desk.attribution(order)))
    assert numbers == [2, 3, 4, 5]
    assert desk.balance(affiliate).pending_minor == 40_000
    desk.assert_sound()
