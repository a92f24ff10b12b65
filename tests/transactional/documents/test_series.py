"""Numbers: without gaps, unique, at most 16 characters, rising with the time of issue, anew each financial year."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.parallel import at_once, successes
from tests.support.trade import TradeKit
from tests.transactional.documents.office import Office
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict
from transactional.core.models import Counter
from transactional.documents import service as documents
from transactional.documents.models import DocumentKind, TaxDocument
from transactional.documents.series import Numbered, next_in_series
from transactional.orders import service as orders

LAST_OF_MARCH = datetime(2026, 3, 31, 18, 29, 59, tzinfo=UTC)
"""23:59:59 by Indian time."""


def sent(kit: TradeKit, variant: int) -> int:
    order_id = kit.buy({variant: 1}, email=f"guest{kit.count(orders.Order)}@example.com")
    kit.ship(order_id)
    return order_id


def test_numbers_fit_the_law() -> None:
    assert Numbered("INV", 2026, 1, LAST_OF_MARCH).number == "INV-2627-0000001"
    assert Numbered("CRN", 2099, 9_999_999, LAST_OF_MARCH).number == "CRN-9900-9999999"
    assert len(Numbered("CRN", 2099, 9_999_999, LAST_OF_MARCH).number) == 16


def test_the_financial_year_ends_at_indian_midnight(office: Office, kit: TradeKit, clock: ManualClock) -> None:
    variant = kit.variant("MUG", stock=9)
    clock.set(LAST_OF_MARCH)
    (old,) = office.settle(sent(kit, variant))
    clock.advance(timedelta(seconds=1))  # still March in London
    (new,) = office.settle(sent(kit, variant))
    assert (old.number, old.financial_year) == ("INV-2526-0000001", 2025)
    assert (new.number, new.financial_year) == ("INV-2627-0000001", 2026)


def test_a_credit_note_belongs_to_the_year_in_which_it_is_issued(
    office: Office, kit: TradeKit, clock: ManualClock
) -> None:
    clock.set(LAST_OF_MARCH - timedelta(hours=1))
    order_id = kit.buy({kit.variant("MUG", stock=9): 1})
    kit.deliver(order_id)
    office.settle(order_id)
    clock.advance(timedelta(days=2))
    office.give_back(order_id, {kit.lines(order_id)[0].id: 1}, cause="test:1")
    (note,) = office.settle(order_id)
    assert note.number == "CRN-2627-0000001"
    assert note.details["invoice_number"] == "INV-2526-0000001"


def test_invoices_and_credit_notes_count_apart(office: Office, kit: TradeKit) -> None:
    variant = kit.variant("MUG", stock=9)
    for expected in ("0000001", "0000002"):
        order_id = kit.buy({variant: 1}, email=f"guest{expected}@example.com")
        kit.deliver(order_id)
        office.settle(order_id)
        office.give_back(order_id, {kit.lines(order_id)[0].id: 1}, cause=f"test:{order_id}")
        office.settle(order_id)
        assert [d.number for d in office.documents(order_id)] == [f"INV-2526-{expected}", f"CRN-2526-{expected}"]


def test_a_rollback_gives_the_number_back(office: Office, kit: TradeKit) -> None:
    variant = kit.variant("MUG", stock=9)
    order_id = sent(kit, variant)

    def die(session: Session) -> object:
        documents.settle(session, order_id=order_id, now=kit.now, settings=office.config)
        raise RuntimeError("the machine died before the commit")

    with pytest.raises(RuntimeError, match="died"):
        kit.run(die)
    (invoice,) = office.settle(order_id)
    assert invoice.serial == 1


def test_a_clock_that_goes_back_does_not_turn_the_order_of_issue(
    office: Office, kit: TradeKit, clock: ManualClock
) -> None:
    variant = kit.variant("MUG", stock=9)
    one, other = sent(kit, variant), sent(kit, variant)
    (first,) = office.settle(one)
    clock.advance(timedelta(minutes=-5))
    (second,) = office.settle(other)
    assert (first.serial, second.serial) == (1, 2)
    assert second.issued_at == first.issued_at


def test_a_full_series_says_so(kit: TradeKit) -> None:
    kit.run(lambda s: s.add(Counter(series="documents:INV:2026", value=9_999_999)))
    with pytest.raises(Conflict, match="full"):
        kit.run(lambda s: next_in_series(s, kind=DocumentKind.INVOICE, fiscal_year=2026, now=kit.now))


def test_parallel_issue_leaves_no_gap_no_duplicate_and_no_disorder(pg_office: Office, pg_kit: TradeKit) -> None:
    variant = pg_kit.variant("MUG", stock=50)
    ids = [pg_kit.buy({variant: 1}, email=f"guest{i}@example.com") for i in range(24)]
    for order_id in ids:
        pg_kit.ship(order_id)
    start = pg_kit.now

    def issue(order_id: int, late: int) -> list[TaxDocument]:
        """Each with a clock of its own, and every third dies before the commit."""

        def work(session: Session) -> object:
            moment = start + timedelta(milliseconds=late * 7 % 50)
            made = documents.settle(session, order_id=order_id, now=moment, settings=pg_office.config)
            if late < len(ids) and late % 3 == 0:
                raise RuntimeError("died")
            return made

        return pg_kit.run(work)

    # Every order is asked for twice at the same moment; the second request of a dead one succeeds.
    works = [lambda order_id=order_id, i=i: issue(order_id, i) for i, order_id in enumerate([*ids, *ids])]
    outcomes = at_once(works)
    assert all(isinstance(outcome, list) or "died" in str(outcome) for outcome in outcomes)
    for order_id in ids:
        pg_office.settle(order_id)
    with pg_kit.database.read() as session:
        issued = session.scalars(select(TaxDocument).order_by(TaxDocument.serial)).all()
    assert [document.serial for document in issued] == list(range(1, len(ids) + 1))
    assert len({document.order_id for document in issued}) == len(ids)
    times = [document.issued_at for document in issued]
    assert times == sorted(times)
    assert successes(outcomes)
