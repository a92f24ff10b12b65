"""Statements as of any past moment: what the shop said then, whenever the jobs came by."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis.stateful import invariant
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from tests.transactional.loyalty.test_ledger_properties import AS_IT_CAME, LedgerMachine, TightMachine, run_machine
from transactional.core.clock import ManualClock
from transactional.core.errors import InvalidInput
from transactional.loyalty import jobs, service, statements
from transactional.loyalty.models import EntryKind, LotState
from transactional.loyalty.recorded import Rulebook, fold, read_records
from transactional.loyalty.statements import Statement, net

YEAR = timedelta(days=365)


def statement_of(kit: TradeKit, customer_id: int, as_of: datetime, since: datetime | None = None) -> Statement:
    """As the shop would print it now."""
    with kit.database.read() as session:
        return statements.statement(session, customer_id, as_of=as_of, since=since, now=kit.now)


def assert_adds_up(made: Statement) -> None:
    """Lots, movements and balances of a statement are the same points."""
    assert net(made.opening) + sum(move.points for move in made.movements) == net(made.closing)
    for line in made.lots:
        lot = line.lot
        assert lot.amount == lot.left + lot.held + lot.spent + lot.by_hand + lot.reversed + lot.expired
    assert sum(line.lot.left for line in made.lots if line.state is LotState.ACTIVE) == made.closing.active
    assert sum(line.lot.left for line in made.lots if line.state is LotState.PENDING) == made.closing.pending


class RememberingMachine(LedgerMachine):
    """The ledger's machine, which writes down every balance that the shop has shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[datetime, service.Balance] = {}

    @invariant()
    def remember(self) -> None:
        """The last balance of each moment."""
        if hasattr(self, "customer"):
            self.shown[self.kit.now] = self.kit.points(self.customer)

    def _wait(self, time: timedelta, *, work: bool) -> None:
        self.remember()
        super()._wait(time, work=work)

    def teardown(self) -> None:
        """Each of them is the statement of that moment, told from the record of today."""
        try:
            if hasattr(self, "customer"):
                self._compare_statements()
        finally:
            super().teardown()

    def _compare_statements(self) -> None:
        with self.kit.database.read() as session:
            record = read_records(session, [self.customer])[self.customer]
            rules = Rulebook.read(session)
            moments = sorted(self.shown)
            for since, at in zip([None, *moments], moments, strict=False):
                made = statements.state(record, rules, as_of=at, since=since)
                assert made.closing == self.shown[at], (at, made.closing, self.shown[at])
                assert since is None or made.opening == self.shown[since]
                assert_adds_up(made)
                from_entries = service.balance_at(session, self.customer, at=at)
                late = sum(m.points for m in fold(record, rules, until=at).movements if m.kind is EntryKind.EXPIRE)
                told = sum(e.points for e in record.entries if e.kind is EntryKind.EXPIRE and e.occurred_at <= at)
                assert net(made.closing) - late == from_entries - told, "only what expires may be told late"


class TightRememberingMachine(RememberingMachine):
    """The same under a floor that is soon reached."""

    floors = TightMachine.floors


@pytest.mark.parametrize("machine", [RememberingMachine, TightRememberingMachine])
def test_a_statement_of_any_moment_is_what_the_shop_said_then(
    machine: type[RememberingMachine], template: Path
) -> None:
    run_machine(machine, template, examples=2, steps=15, fixed=True, phases=AS_IT_CAME)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [RememberingMachine, TightRememberingMachine])
def test_many_more_histories_are_told_as_they_were(machine: type[RememberingMachine], template: Path) -> None:
    run_machine(machine, template, examples=25, steps=45, fixed=False, phases=AS_IT_CAME)


def test_a_late_job_does_not_change_what_was(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    asha = kit.customer()
    kit.deliver(kit.buy({cup: 1}, customer_id=asha))
    free, over = kit.now + timedelta(days=14), kit.now + YEAR
    clock.advance(YEAR + timedelta(days=90))
    before = [statement_of(kit, asha, at) for at in (free, over)]
    jobs.activate_due_points(kit.database)
    jobs.expire_due_points(kit.database)
    after = [statement_of(kit, asha, at) for at in (free, over)]
    assert [made.closing for made in before] == [made.closing for made in after]
    assert [(made.closing.active, made.closing.expired) for made in after] == [(10, 0), (0, 10)]
    assert [(move.kind, move.points, move.at) for move in after[1].movements[1:]] == [
        (EntryKind.ACTIVATE, 0, free),
        (EntryKind.EXPIRE, -10, over),
    ]


def test_every_lot_says_what_became_of_it(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    asha = kit.customer()
    kit.give_points(asha, 20)
    clock.advance(timedelta(days=1))
    order_id = kit.buy({cup: 2}, customer_id=asha, redeem_points=12)
    kit.deliver(order_id)
    kit.return_units(kit.lines(order_id)[0].id, 1)
    made = statement_of(kit, asha, kit.now)
    gift, earned, restored = made.lots
    assert (gift.lot.source, gift.lot.spent, gift.lot.given_back, gift.lot.left) == ("adjustment", 12, 6, 8)
    assert (earned.lot.source, earned.lot.reversed, earned.state) == ("order", 9, LotState.PENDING)
    assert (restored.lot.source, restored.lot.left, restored.lot.root) == ("restore", 6, gift.lot.id)
    assert {line.rule_version for line in made.lots} == {1}
    assert_adds_up(made)


def test_a_period_opens_with_what_the_one_before_closed(kit: TradeKit, clock: ManualClock) -> None:
    asha = kit.customer()
    kit.give_points(asha, 20)
    first = kit.now
    clock.advance(timedelta(days=10))
    kit.give_points(asha, 5)
    made = statement_of(kit, asha, kit.now, since=first)
    assert (made.opening.active, made.closing.active) == (20, 25)
    assert [move.points for move in made.movements] == [5]


def test_nobody_knows_the_future_and_time_runs_forward(kit: TradeKit) -> None:
    asha = kit.customer()
    with pytest.raises(InvalidInput, match="has come"):
        statement_of(kit, asha, kit.now + timedelta(seconds=1))
    with pytest.raises(InvalidInput, match="ends after"):
        statement_of(kit, asha, kit.now - timedelta(days=2), since=kit.now)


def test_a_customer_without_points_has_an_empty_statement(kit: TradeKit) -> None:
    made = statement_of(kit, kit.customer(), kit.now)
    assert (list(made.lots), list(made.movements), net(made.closing)) == ([], [], 0)


def test_a_spreadsheet_gets_text_and_no_formulas(kit: TradeKit) -> None:
    asha = kit.customer()

    def give(session: Session) -> int:
        adjusted = service.adjust(
            session, customer_id=asha, points=5, actor="user:1", reason='=HYPERLINK("x"), ülkü ✓', now=kit.now
        )
        return adjusted.id

    kit.run(give)
    rows = list(csv.reader(io.StringIO(statements.as_csv(statement_of(kit, asha, kit.now)))))
    assert [row[1:4] for row in rows] == [
        ["what", "points", "balance"],
        ["opening", "", "0"],
        ["adjust", "5", "5"],
        ["closing", "", "5"],
    ]
    assert rows[2][6] == '\'=HYPERLINK("x"), ülkü ✓'
