"""Where a parcel stands: the same for every order and duplication of what is told."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from transactional.shipping.codes import MEANINGS, OrderCode, ShipmentCode, is_known, meaning_of
from transactional.shipping.models import ShipmentStatus as S
from transactional.shipping.timeline import NEEDS_CONFIRMATION, RANK, Scan, fold

START = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


scans = st.builds(
    Scan,
    status=st.sampled_from([None, *S]),
    occurred_at=st.integers(0, 8).map(at),
    problem=st.sampled_from([None, "delayed"]),
    confirmed=st.booleans(),
)


@given(st.lists(scans, max_size=12), st.randoms(use_true_random=False))
def test_order_and_duplication_make_no_difference(told: list[Scan], random: object) -> None:
    expected = fold(told)
    shuffled = told + told[: len(told) // 2]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(shuffled) == expected


@given(st.lists(scans, max_size=12), scans)
def test_one_more_scan_never_takes_a_parcel_back(told: list[Scan], more: Scan) -> None:
    before, after = fold(told), fold([*told, more])
    assert RANK[after.status] >= RANK[before.status]
    if before.picked_up_at is not None:
        assert after.picked_up_at is not None


@given(st.lists(scans, max_size=12))
def test_nothing_that_money_follows_is_true_by_a_webhook_alone(told: list[Scan]) -> None:
    standing = fold(told)
    if standing.status in NEEDS_CONFIRMATION:
        assert any(scan.status is standing.status and scan.confirmed for scan in told)
    assert all(RANK[claim] > RANK[standing.status] for claim in standing.unconfirmed)


def test_a_failed_attempt_may_be_followed_by_another() -> None:
    first = [Scan(S.OUT_FOR_DELIVERY, at(1)), Scan(S.UNDELIVERED, at(2))]
    assert fold(first).status is S.UNDELIVERED
    assert fold([*first, Scan(S.OUT_FOR_DELIVERY, at(3))]).status is S.OUT_FOR_DELIVERY
    assert fold([*first, Scan(S.OUT_FOR_DELIVERY, at(3)), Scan(S.UNDELIVERED, at(3))]).status is S.UNDELIVERED


def test_a_late_older_scan_changes_nothing_after_the_delivery() -> None:
    told = [Scan(S.PICKED_UP, at(0)), Scan(S.DELIVERED, at(5)), Scan(S.IN_TRANSIT, at(3)), Scan(S.UNDELIVERED, at(9))]
    assert fold(told).status is S.DELIVERED


def test_the_way_back_is_a_branch_of_its_own() -> None:
    back = [Scan(S.UNDELIVERED, at(1)), Scan(S.RTO_INITIATED, at(2))]
    assert fold([*back, Scan(S.OUT_FOR_DELIVERY, at(3))]).status is S.RTO_INITIATED
    assert fold([*back, Scan(S.RTO_IN_TRANSIT, at(3)), Scan(S.RTO_DELIVERED, at(4))]).status is S.RTO_DELIVERED


def test_a_cancellation_yields_to_a_parcel_that_moves() -> None:
    assert fold([Scan(S.AWB_ASSIGNED, at(0)), Scan(S.CANCELLED, at(1))]).status is S.CANCELLED
    assert fold([Scan(S.PICKED_UP, at(0)), Scan(S.CANCELLED, at(1))]).status is S.PICKED_UP


def test_the_first_sight_of_movement_is_the_pickup() -> None:
    standing = fold([Scan(S.PICKUP_SCHEDULED, at(0)), Scan(S.DELIVERED, at(9)), Scan(S.IN_TRANSIT, at(4))])
    assert standing.picked_up_at == at(4)
    assert standing.first_seen[S.DELIVERED] == at(9)


def test_the_newest_scan_says_whether_there_is_a_problem() -> None:
    trouble = Scan(S.PICKUP_SCHEDULED, at(1), "pickup_error")
    assert fold([trouble]).problem == "pickup_error"
    assert fold([trouble, Scan(S.PICKUP_SCHEDULED, at(2))]).problem is None


def test_the_two_scales_share_numbers_but_not_meanings() -> None:
    assert ShipmentCode(20).name == "PICKUP_EXCEPTION"
    assert OrderCode(20).name == "IN_TRANSIT"
    assert ShipmentCode(8).name == "CANCELLED"
    assert OrderCode(5).name == "CANCELLED"


def test_codes_mean_what_the_carrier_says() -> None:
    assert meaning_of("18").status is S.IN_TRANSIT
    assert meaning_of("22") == meaning_of("0022")
    assert (meaning_of("22").status, meaning_of("22").problem) == (S.IN_TRANSIT, "delayed")
    assert (meaning_of("23").status, meaning_of("23").problem) == (None, "partially_delivered")
    for silent in ("11", "47", "59", "68", "72", "NA", "", "999", "-1", "७"):
        assert meaning_of(silent).status is None, silent
    assert is_known("11")
    assert not is_known("999")
    assert not is_known("७")
    assert {meaning.status for meaning in MEANINGS.values()} - {None} == set(S) - {S.CREATED}
