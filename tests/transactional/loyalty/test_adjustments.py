"""Adjustments by hand: a reason, an actor, and a second person above the limit; applied once, whoever is fast."""

from datetime import timedelta
from functools import partial

import pytest

from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from transactional.loyalty import service
from transactional.loyalty.adjustments import (
    REQUEST_LIFE,
    adjustments,
    approve_adjustment,
    is_over,
    refuse_adjustment,
    request_adjustment,
)
from transactional.loyalty.models import AdjustmentState, PointAdjustment, PointEntry, Wallet

LIMIT = 500
ASKS, AGREES = "user:1", "user:2"


def ask(kit: TradeKit, customer_id: int, points: int, *, actor: str = ASKS, reason: str = "late parcel") -> int:
    """Request an adjustment; gives its id."""
    work = partial(request_adjustment, customer_id=customer_id, points=points, reason=reason, actor=actor, now=kit.now)
    return kit.run(lambda session: work(session).id)


def approve(kit: TradeKit, adjustment_id: int, *, actor: str = AGREES) -> int | None:
    """Agree to it; gives the entry that came of it."""
    work = partial(approve_adjustment, adjustment_id=adjustment_id, actor=actor, now=kit.now)
    return kit.run(lambda session: work(session).entry_id)


def found(kit: TradeKit, adjustment_id: int) -> PointAdjustment:
    """The row."""
    with kit.database.read() as session:
        return session.get_one(PointAdjustment, adjustment_id)


def test_up_to_the_limit_one_person_is_enough(kit: TradeKit) -> None:
    asha = kit.customer()
    row = found(kit, ask(kit, asha, LIMIT))
    assert (row.state, row.decided_by, row.asked_by, row.reason) == (
        AdjustmentState.APPLIED,
        None,
        ASKS,
        "late parcel",
    )
    assert kit.points(asha).active == LIMIT
    with kit.database.read() as session:
        entry = session.get_one(PointEntry, row.entry_id)
        assert (entry.actor, entry.reason) == (ASKS, "late parcel")


def test_above_the_limit_nothing_moves_before_a_second_person_agrees(kit: TradeKit) -> None:
    asha = kit.customer()
    adjustment_id = ask(kit, asha, LIMIT + 1)
    assert (found(kit, adjustment_id).state, kit.points(asha).active) == (AdjustmentState.REQUESTED, 0)
    with pytest.raises(Forbidden, match="second person"):
        approve(kit, adjustment_id, actor=ASKS)
    assert kit.points(asha).active == 0
    entry_id = approve(kit, adjustment_id)
    row = found(kit, adjustment_id)
    assert (row.state, row.decided_by, row.entry_id) == (AdjustmentState.APPLIED, AGREES, entry_id)
    assert kit.points(asha).active == LIMIT + 1
    with pytest.raises(Conflict, match="applied already"):
        approve(kit, adjustment_id)
    kit.assert_sound()


def test_a_large_adjustment_in_small_pieces_needs_a_second_person_too(kit: TradeKit, clock: ManualClock) -> None:
    asha, bela = kit.customer(), kit.customer("bela@example.com")
    ask(kit, asha, 300)
    assert found(kit, ask(kit, asha, -201)).state is AdjustmentState.REQUESTED
    assert found(kit, ask(kit, bela, 300)).state is AdjustmentState.APPLIED, "another customer"
    assert found(kit, ask(kit, asha, 300, actor=AGREES)).state is AdjustmentState.APPLIED, "another person"
    clock.advance(timedelta(days=1))
    assert found(kit, ask(kit, asha, 201)).state is AdjustmentState.APPLIED, "another day"


def test_a_refused_request_stays_on_file(kit: TradeKit) -> None:
    asha = kit.customer()
    adjustment_id = ask(kit, asha, LIMIT + 1)
    refuse = partial(refuse_adjustment, adjustment_id=adjustment_id, now=kit.now)
    with pytest.raises(Forbidden):
        kit.run(partial(refuse, actor=ASKS, note="no"))
    with pytest.raises(InvalidInput, match="says why"):
        kit.run(partial(refuse, actor=AGREES, note=" "))
    kit.run(partial(refuse, actor=AGREES, note="the parcel was in time"))
    row = found(kit, adjustment_id)
    assert (row.state, row.decided_by, row.decision_note) == (
        AdjustmentState.REFUSED,
        AGREES,
        "the parcel was in time",
    )
    with pytest.raises(Conflict, match="refused already"):
        approve(kit, adjustment_id)
    assert kit.points(asha).active == 0


def test_a_request_that_nobody_decides_is_over_and_stays_on_file(kit: TradeKit, clock: ManualClock) -> None:
    asha = kit.customer()
    adjustment_id = ask(kit, asha, LIMIT + 1)
    clock.advance(REQUEST_LIFE)
    with pytest.raises(Conflict, match="within 14 days"):
        approve(kit, adjustment_id)
    with kit.database.read() as session:
        (row,) = adjustments(session, customer_id=asha)
        assert is_over(row, now=kit.now)
    assert kit.points(asha).active == 0


def test_points_that_are_not_there_are_not_taken_and_the_request_stays_open(kit: TradeKit) -> None:
    asha = kit.customer()
    kit.give_points(asha, 600)
    adjustment_id = ask(kit, asha, -(LIMIT + 50))
    kit.run(lambda s: service.adjust(s, customer_id=asha, points=-100, actor="user:3", reason="spent", now=kit.now).id)
    with pytest.raises(service.PointsRefused):
        approve(kit, adjustment_id)
    assert (found(kit, adjustment_id).state, kit.points(asha).active) == (AdjustmentState.REQUESTED, 500)
    ask(kit, asha, -LIMIT, actor="user:9")
    with pytest.raises(service.PointsRefused):
        ask(kit, asha, -1, actor="user:8")
    assert kit.points(asha).active == 0
    kit.assert_sound()


def test_bad_requests_leave_nothing_behind(kit: TradeKit) -> None:
    asha = kit.customer()
    with pytest.raises(InvalidInput, match="at least one point"):
        ask(kit, asha, 0)
    with pytest.raises(InvalidInput, match="a reason"):
        ask(kit, asha, 5, reason="  ")
    with pytest.raises(NotFound):
        approve(kit, 99)
    assert kit.count(PointAdjustment) == 0


def test_promotional_points_are_adjusted_in_their_own_wallet(kit: TradeKit) -> None:
    asha = kit.customer()
    kit.run(
        lambda s: (
            request_adjustment(
                s,
                customer_id=asha,
                points=40,
                reason="contest ✓",
                actor=ASKS,
                now=kit.now,
                wallet=Wallet.PROMOTIONAL,
            ).id
        )
    )
    with kit.database.read() as session:
        wallets = {w.wallet: w.active for w in service.wallet_balances(session, asha, now=kit.now)}
    assert wallets == {Wallet.EARNED: 0, Wallet.PROMOTIONAL: 40}


def test_many_who_agree_at_once_move_the_points_once(any_kit: TradeKit) -> None:
    kit = any_kit
    asha = kit.customer()
    adjustment_id = ask(kit, asha, LIMIT + 1)
    answers = at_once([partial(approve, kit, adjustment_id, actor=f"user:{number}") for number in range(2, 8)])
    assert len(successes(answers)) == 1
    assert all(isinstance(error, Conflict) for error in failures(answers))
    assert kit.points(asha).active == LIMIT + 1
    kit.assert_sound()


def test_pieces_sent_at_once_count_together(any_kit: TradeKit) -> None:
    kit = any_kit
    asha = kit.customer()
    at_once([partial(ask, kit, asha, 200) for _ in range(5)])
    assert kit.points(asha).active == 400
    assert kit.count(PointAdjustment, PointAdjustment.state == AdjustmentState.REQUESTED) == 3
