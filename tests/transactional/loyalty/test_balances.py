"""What a balance costs, and that its proofs find every figure that is wrong."""

import statistics
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, update
from sqlalchemy.orm import Session

from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit
from transactional.core.clock import ManualClock
from transactional.loyalty import jobs, service
from transactional.loyalty.models import EntryKind, LotState, PointBalance, PointConsumption, PointEntry, PointLot

_PAIRS = 5_000


def fill(kit: TradeKit, customer_id: int) -> None:
    """10,000 entries: so many gifts of 3 points, and from each a correction of 1."""
    programme_id = kit.run(lambda s: service.ensure_programme(s, now=kit.now).id)
    ids = range(1, _PAIRS + 1)
    common = {"customer_id": customer_id, "actor": "test", "occurred_at": kit.now, "reason": "history"}
    lots = [
        {
            "id": n,
            "customer_id": customer_id,
            "programme_id": programme_id,
            "source": "campaign",
            "state": LotState.ACTIVE,
            "amount": 3,
            "remaining": 2,
            "earned_at": kit.now,
            "available_at": kit.now,
            "expires_at": kit.now + timedelta(days=365, minutes=n),
        }
        for n in ids
    ]
    given = [{"id": n, "lot_id": n, "kind": EntryKind.EARN, "points": 3, **common} for n in ids]
    taken = [{"id": _PAIRS + n, "lot_id": n, "kind": EntryKind.ADJUST, "points": -1, **common} for n in ids]
    ties = [{"lot_id": n, "entry_id": _PAIRS + n, "amount": 1, "occurred_at": kit.now} for n in ids]

    def work(session: Session) -> None:
        for model, rows in ((PointLot, lots), (PointEntry, given + taken), (PointConsumption, ties)):
            session.execute(insert(model), rows)
        session.execute(insert(PointBalance), [{"customer_id": customer_id, "active": 2 * _PAIRS}])

    kit.run(work)


@pytest.fixture
def statements(kit: TradeKit) -> Iterator[list[str]]:
    """Every statement that the shop asks the database."""
    asked: list[str] = []

    def listen(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    event.listen(kit.database.engine, "before_cursor_execute", listen)
    yield asked
    event.remove(kit.database.engine, "before_cursor_execute", listen)


def test_a_balance_of_ten_thousand_entries_is_one_cheap_question(kit: TradeKit, statements: list[str]) -> None:
    asha = kit.customer()
    fill(kit, asha)
    kit.assert_sound()
    with kit.database.read() as session:
        service.balance(session, asha, now=kit.now)
        statements.clear()
        assert service.balance(session, asha, now=kit.now).active == 2 * _PAIRS
        assert len(statements) == 1
        assert "point_entries" not in statements[0]
        seconds = []
        for _ in range(21):
            begin = time.perf_counter()
            service.balance(session, asha, now=kit.now)
            seconds.append(time.perf_counter() - begin)
    assert statistics.median(seconds) < 0.005


def test_nobody_without_points_has_a_row(kit: TradeKit) -> None:
    assert kit.points(kit.customer()) == service.Balance(0, 0, 0, 0, 0, 0)
    assert kit.count(PointBalance) == 0


@pytest.mark.parametrize("column", ["active", "pending", "held", "owed", "spent", "expired", "reversed", "shortfall"])
def test_a_wrong_figure_is_found(kit: TradeKit, column: str) -> None:
    asha, ravi = kit.customer(), kit.customer("ravi@example.com")
    kit.give_points(asha, 50)
    kit.give_points(ravi, 50)
    kit.buy({kit.variant("CUP", stock=9): 1}, customer_id=asha, redeem_points=20)
    kit.run(
        lambda s: s.execute(
            update(PointBalance)
            .where(PointBalance.customer_id == asha)
            .values({column: getattr(PointBalance, column) + 1})
        ).close()
    )
    with kit.database.read() as session:
        assert service.discrepancies(session) == [asha]


def test_a_debt_booked_to_the_wrong_wallet_is_found(kit: TradeKit, clock: ManualClock) -> None:
    cup, asha = kit.variant("CUP", price=100_000, stock=9), kit.customer()
    first = kit.buy({cup: 2}, customer_id=asha)
    kit.deliver(first)
    clock.advance(timedelta(days=14))
    kit.buy({cup: 1}, customer_id=asha, redeem_points=20)
    kit.return_units(kit.lines(first)[0].id, 1)
    kit.assert_sound()
    kit.run(lambda s: s.execute(update(PointBalance).values(owed_promotional=4)).close())
    with kit.database.read() as session:
        assert service.discrepancies(session) == [asha]


def test_what_is_due_is_counted_before_a_job_has_moved_it(kit: TradeKit, clock: ManualClock) -> None:
    """A lot that waited, expired, and would have paid a debt in between: the same figures before and after the job."""
    cup, asha = kit.variant("CUP", price=100_000, stock=9), kit.customer()
    first = kit.buy({cup: 2}, customer_id=asha)
    kit.deliver(first)
    clock.advance(timedelta(days=14))
    kit.buy({cup: 1}, customer_id=asha, redeem_points=20)
    kit.return_units(kit.lines(first)[0].id, 2)
    kit.give_points(asha, 3)
    for days in (14, 400):
        clock.advance(timedelta(days=days))
        before = kit.points(asha)
        if days == 400:
            jobs.activate_due_points(kit.database)
            jobs.expire_due_points(kit.database)
        assert kit.points(asha) == before
    kit.assert_sound()


@pytest.mark.postgres
@pytest.mark.slow
def test_two_hundred_parallel_redemptions_of_the_same_points_overspend_nothing(pg_kit: TradeKit) -> None:
    """200 orders of one customer want 30 of 200 points each, all at the same moment."""
    cup, asha = pg_kit.variant("CUP", stock=999), pg_kit.customer()
    for points in (90, 60, 50):
        pg_kit.give_points(asha, points)
    orders = [pg_kit.buy({cup: 1}, customer_id=asha, pay=False) for _ in range(200)]

    def hold(order_id: int) -> int:
        return pg_kit.run(lambda s: service.hold(s, customer_id=asha, order_id=order_id, points=30, now=pg_kit.now).id)

    outcomes = at_once([lambda order_id=order_id: hold(order_id) for order_id in orders])
    assert len(successes(outcomes)) == 6
    assert {type(error) for error in failures(outcomes)} == {service.PointsRefused}
    assert (pg_kit.points(asha).active, pg_kit.points(asha).held) == (20, 180)
    pg_kit.assert_sound()
    ended = at_once([lambda o=o: pg_kit.run(lambda s: service.release(s, order_id=o, now=pg_kit.now)) for o in orders])
    assert sum(ended) == 180
    assert pg_kit.points(asha).active == 200
    pg_kit.assert_sound()


@pytest.mark.postgres
@pytest.mark.slow
def test_a_reference_that_many_ask_for_gives_once(pg_kit: TradeKit) -> None:
    asha = pg_kit.customer()

    def give() -> int:
        return pg_kit.run(
            lambda s: (
                service.give(
                    s, customer_id=asha, points=50, source="referral", reference="referral:1", now=pg_kit.now
                ).id
            )
        )

    def take() -> int:
        return pg_kit.run(lambda s: service.take_back(s, reference="referral:1", share_bp=5_000, now=pg_kit.now).taken)

    assert len(set(at_once([give] * 12))) == 1
    assert sum(at_once([take] * 12)) == 25
    assert pg_kit.points(asha).active == 25
    pg_kit.assert_sound()
