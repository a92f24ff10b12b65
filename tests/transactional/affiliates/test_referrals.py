"""Invitations: both sides are rewarded once, after the window, for a first order by somebody else; and it reverses."""

from typing import Any

import pytest
from sqlalchemy import select

from tests.support.parallel import at_once, successes
from tests.transactional.affiliates.desk import Desk
from transactional.affiliates import events
from transactional.affiliates import service as affiliates
from transactional.affiliates.models import Referral, ReferralInvite
from transactional.affiliates.service import ReferralState, RewardKind
from transactional.core.errors import Conflict, InvalidInput
from transactional.core.models import OutboxMessage
from transactional.loyalty import service as loyalty
from transactional.promotions import service as promotions

POINTS = {"reward": RewardKind.POINTS, "referrer_points": 200, "referred_points": 100}
CODE = {"reward": RewardKind.CODE, "code_percent_bp": 1_000, "code_valid_days": 30}


@pytest.fixture
def mug(desk: Desk) -> int:
    return desk.kit.variant("MUG", stock=99)


@pytest.fixture
def inviter(desk: Desk) -> int:
    return desk.kit.customer("inviter@example.com")


def terms(desk: Desk, **values: Any) -> None:
    desk.kit.run(lambda s: affiliates.add_terms(s, actor="test", now=desk.now, **values).id)


def invite(desk: Desk, customer_id: int) -> str:
    return desk.kit.run(lambda s: affiliates.invite_of(s, customer_id=customer_id, now=desk.now).code)


def invited(desk: Desk, mug: int, code: str, *, email: str = "friend@example.com", units: int = 1) -> tuple[int, int]:
    """A friend with an account buys by an invitation: (customer, order)."""
    friend = desk.kit.customer(email)
    return friend, desk.buy({mug: units}, customer_id=friend, referral_code=code.lower())


def referral(desk: Desk, order: int) -> Referral | None:
    with desk.kit.database.read() as session:
        return session.scalar(select(Referral).where(Referral.order_id == order))


def gifts(desk: Desk, customer_id: int) -> int:
    """Promotional points alone: orders earn points of their own."""
    with desk.kit.database.read() as session:
        lots = session.scalars(
            select(loyalty.PointLot).where(
                loyalty.PointLot.customer_id == customer_id, loyalty.PointLot.source == "referral"
            )
        )
        return sum(lot.remaining for lot in lots)


def test_both_sides_get_points_when_the_window_is_over_and_not_before(desk: Desk, mug: int, inviter: int) -> None:
    terms(desk, **POINTS)
    friend, order = invited(desk, mug, invite(desk, inviter))
    desk.deliver(order)
    desk.later(days=14)
    events.settle_due(desk.kit.database)
    assert (gifts(desk, inviter), gifts(desk, friend)) == (0, 0)
    desk.later(seconds=1)
    for _ in range(3):
        events.settle_due(desk.kit.database)
        desk.settle(order)
    assert (gifts(desk, inviter), gifts(desk, friend)) == (200, 100)
    found = referral(desk, order)
    assert found is not None
    assert found.state is ReferralState.GRANTED
    told = [m for m in _mails(desk) if "reward" in m.payload["subject"]]
    assert len(told) == 2


def _mails(desk: Desk) -> list[OutboxMessage]:
    with desk.kit.database.read() as session:
        return list(session.scalars(select(OutboxMessage).where(OutboxMessage.dedup_key.like("%referral:%"))))


def test_codes_are_for_one_use_and_end_with_the_reversal(desk: Desk, mug: int, inviter: int) -> None:
    terms(desk, **CODE)
    _, order = invited(desk, mug, invite(desk, inviter))
    desk.mature(order)
    found = referral(desk, order)
    assert found is not None
    assert found.referrer_code
    assert found.referred_code
    desk.buy({mug: 1}, email="user@example.com", coupon=found.referrer_code)
    with pytest.raises(Conflict):
        desk.buy({mug: 1}, email="another@example.com", coupon=found.referrer_code)
    desk.give_back(order, {desk.kit.lines(order)[0].id: 1}, cause="return:late")
    with desk.kit.database.read() as session:
        used, _ = promotions.get_coupon(session, found.referrer_code)
        unused, _ = promotions.get_coupon(session, found.referred_code)
    assert used.status is not promotions.PromotionStatus.ENDED, "it was used before the order came back"
    assert unused.status is promotions.PromotionStatus.ENDED


def test_an_order_that_comes_back_within_the_window_rewards_nobody(desk: Desk, mug: int, inviter: int) -> None:
    terms(desk, **POINTS)
    friend, order = invited(desk, mug, invite(desk, inviter))
    desk.deliver(order)
    desk.give_back(order, {desk.kit.lines(order)[0].id: 1}, cause="return:1")
    desk.later(days=30)
    desk.settle(order)
    found = referral(desk, order)
    assert found is not None
    assert (found.state, found.reason) == (ReferralState.REFUSED, "given_back")
    assert (gifts(desk, inviter), gifts(desk, friend)) == (0, 0)


def test_an_order_that_comes_back_later_takes_the_points_back_once(desk: Desk, mug: int, inviter: int) -> None:
    terms(desk, **POINTS)
    friend, order = invited(desk, mug, invite(desk, inviter), units=2)
    desk.mature(order)
    (line,) = desk.kit.lines(order)
    desk.give_back(order, {line.id: 1}, cause="return:1")
    assert gifts(desk, inviter) == 200, "something is kept"
    desk.give_back(order, {line.id: 1}, cause="return:2")
    desk.settle(order)
    assert (gifts(desk, inviter), gifts(desk, friend)) == (0, 0)
    found = referral(desk, order)
    assert found is not None
    assert (found.state, found.reason) == (ReferralState.REVERSED, "given_back")


def test_too_small_an_order_rewards_nobody(desk: Desk, mug: int, inviter: int) -> None:
    terms(desk, **POINTS, min_order_minor=100_001)
    _, order = invited(desk, mug, invite(desk, inviter))
    desk.mature(order)
    found = referral(desk, order)
    assert found is not None
    assert (found.state, found.reason) == (ReferralState.REFUSED, "too_small")


def test_nobody_invites_themselves(desk: Desk, mug: int) -> None:
    terms(desk, **POINTS)
    me = desk.kit.customer("asha.rao@gmail.com")
    code = invite(desk, me)
    by_account = desk.buy({mug: 1}, customer_id=me, referral_code=code)
    by_mailbox = desk.buy({mug: 1}, email="ashara.o+x@gmail.com", referral_code=code)
    reasons = [found.reason for order in (by_account, by_mailbox) if (found := referral(desk, order))]
    assert reasons == ["same_account", "same_email"]


def test_only_a_persons_first_order_counts_whatever_name_they_use(desk: Desk, mug: int, inviter: int) -> None:
    terms(desk, **POINTS)
    code = invite(desk, inviter)
    desk.buy({mug: 1}, email="o.ld+1@gmail.com")
    desk.later(days=1)
    again = desk.buy({mug: 1}, email="old@googlemail.com", referral_code=code)
    found = referral(desk, again)
    assert found is not None
    assert found.reason == "not_first_order"


def test_a_person_is_invited_once_by_whoever_comes_first(pg_desk: Desk) -> None:
    desk = pg_desk
    mug = desk.kit.variant("MUG", stock=99)
    terms(desk, **POINTS)
    codes = [invite(desk, desk.kit.customer(f"inviter{i}@example.com")) for i in range(2)]
    orders = [
        desk.buy({mug: 1}, email=email, referral_code=code, settle=False)
        for email, code in zip(("friend@example.com", "friend+2@example.com"), codes, strict=True)
    ]
    assert len(successes(at_once([lambda order=order: desk.settle(order) for order in orders]))) == 2
    states = sorted(found.state for order in orders if (found := referral(desk, order)))
    assert states == [ReferralState.PENDING, ReferralState.REFUSED]


def test_closed_invitations_are_worth_nothing(desk: Desk, mug: int, inviter: int) -> None:
    with pytest.raises(Conflict, match="at present"):
        invite(desk, inviter)
    terms(desk, **POINTS)
    code = invite(desk, inviter)
    assert invite(desk, inviter) == code
    desk.later(days=1)
    terms(desk, **POINTS, is_open=False)
    _, order = invited(desk, mug, code)
    assert referral(desk, order) is None


def test_a_customer_has_one_code_however_often_and_at_once_they_ask(pg_desk: Desk) -> None:
    terms(pg_desk, **POINTS)
    customer = pg_desk.kit.customer("inviter@example.com")
    codes = at_once([lambda: invite(pg_desk, customer)] * 5)
    assert len(set(codes)) == 1
    assert pg_desk.kit.count(ReferralInvite) == 1


def test_an_invited_guest_gets_no_points_that_nobody_could_spend(desk: Desk, mug: int, inviter: int) -> None:
    terms(desk, **POINTS)
    order = desk.buy({mug: 1}, email="guest@example.com", referral_code=invite(desk, inviter))
    desk.mature(order)
    guest = desk.kit.order(order).customer_id
    assert guest is not None
    assert (gifts(desk, inviter), gifts(desk, guest)) == (200, 0)


@pytest.mark.parametrize(
    "values",
    [
        {"reward": RewardKind.POINTS},
        {"reward": RewardKind.POINTS, "referrer_points": -1, "referred_points": 5},
        {"reward": RewardKind.CODE},
        {**CODE, "code_percent_bp": 10_001},
        {**CODE, "code_valid_days": 0},
        {**CODE, "referrer_points": 5},
        {**POINTS, "code_percent_bp": 5},
        {**CODE, "code_max_discount_minor": 0},
    ],
    ids=str,
)
def test_terms_that_make_no_sense_are_refused(desk: Desk, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        terms(desk, **values)
