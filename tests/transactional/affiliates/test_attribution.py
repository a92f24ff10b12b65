"""One attribution an order: by click, code or binding, as of the day of the order, and never for oneself."""

from datetime import timedelta

import pytest

from tests.support.trade import ADDRESS, TradeKit
from tests.transactional.affiliates.desk import HOME, Desk
from transactional.accounts import service as accounts
from transactional.accounts.addresses import add_address
from transactional.affiliates import service as affiliates
from transactional.affiliates.models import OrderAttribution
from transactional.affiliates.service import AttributionOutcome, ClickRule, DecidedBy, RefusalReason, Winner
from transactional.core.errors import Conflict, InvalidInput


@pytest.fixture
def mug(kit: TradeKit) -> int:
    return kit.variant("MUG", stock=99)


def test_the_last_click_within_the_window_counts(desk: Desk, mug: int) -> None:
    programme = desk.programme(window_days=30)
    one, two = desk.affiliate(programme), desk.affiliate(programme, "two@example.com")
    visitor = desk.click(one)
    desk.later(days=1)
    desk.click(two, visitor)
    assert desk.owner(desk.buy({mug: 1}, visitor_id=visitor)) == two


def test_the_first_click_counts_where_the_programme_says_so(desk: Desk, mug: int) -> None:
    programme = desk.programme(click_rule=ClickRule.FIRST_CLICK)
    one, two = desk.affiliate(programme), desk.affiliate(programme, "two@example.com")
    visitor = desk.click(one)
    desk.click(two, visitor)
    assert desk.owner(desk.buy({mug: 1}, visitor_id=visitor)) == one


def test_the_window_binds_the_visitor_and_the_binding_has_no_end(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme(window_days=30))
    late = desk.click(affiliate)
    desk.later(days=30, seconds=1)
    assert desk.attribution(desk.buy({mug: 1}, visitor_id=late, email="late@example.com")) is None
    bound = desk.click(affiliate)
    desk.buy({mug: 1}, visitor_id=bound)
    desk.later(days=400)
    again = desk.buy({mug: 1})  # the same guest, without a cookie
    found = desk.attribution(again)
    assert found is not None
    assert (found.affiliate_id, found.decided_by) == (affiliate, DecidedBy.BINDING)


@pytest.mark.parametrize("winner", Winner)
def test_code_against_click_has_one_declared_winner(desk: Desk, mug: int, winner: Winner) -> None:
    programme = desk.programme(winner=winner)
    by_click, by_code = desk.affiliate(programme), desk.affiliate(programme, "two@example.com")
    desk.code(by_code, "TWO-GIFTS")
    order = desk.buy({mug: 1}, visitor_id=desk.click(by_click), referral_code=" two-gifts ")
    assert desk.owner(order) == (by_code if winner is Winner.CODE else by_click)


def test_a_coupon_with_the_letters_of_a_code_names_the_affiliate_and_binds_nobody(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    desk.code(affiliate, "ASHA10")
    desk.kit.coupon("ASHA10")
    assert desk.owner(desk.buy({mug: 1}, coupon="ASHA10")) == affiliate
    assert desk.attribution(desk.buy({mug: 1})) is None


def test_where_programmes_meet_the_oldest_ones_rules_decide(desk: Desk, mug: int) -> None:
    old = desk.programme("old", click_rule=ClickRule.FIRST_CLICK)
    new = desk.programme("new", click_rule=ClickRule.LAST_CLICK)
    in_new, in_old = desk.affiliate(new), desk.affiliate(old, "two@example.com")
    visitor = desk.click(in_new)
    desk.later(hours=1)
    desk.click(in_old, visitor)
    assert desk.owner(desk.buy({mug: 1}, visitor_id=visitor)) == in_new


def test_an_order_is_attributed_once_however_often_it_is_settled(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    order = desk.buy({mug: 2}, visitor_id=desk.click(affiliate))
    before = desk.attribution(order)
    for _ in range(3):
        desk.later(days=1)
        desk.settle(order)
    assert desk.kit.count(OrderAttribution) == 1
    after = desk.attribution(order)
    assert before is not None
    assert after is not None
    assert after.sha256 == before.sha256
    assert len(desk.lots(order)) == 1


def test_what_is_no_visitor_and_no_code_stops_no_order(desk: Desk, mug: int) -> None:
    order = desk.buy({mug: 1}, visitor_id="vis_<script>", referral_code="no such cödé!")
    assert desk.attribution(order) is None
    unknown = desk.buy({mug: 1}, visitor_id="vis_" + "0" * 26, referral_code="NOBODY")
    assert desk.attribution(unknown) is None


def test_without_consent_nothing_is_kept_that_could_bind(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    assert desk.click(affiliate, consent=False) is None
    with desk.kit.database.read() as session:
        assert affiliates.figures(session, affiliate).clicks == 1
        assert affiliates.figures(session, affiliate).visitors == 0


# ── the same person earns nothing ──────────────────────────────────────────────────────────────────────────────


def refused(desk: Desk, order: int) -> RefusalReason | None:
    found = desk.attribution(order)
    assert found is not None
    assert found.outcome is AttributionOutcome.REFUSED
    assert desk.lots(order) == []
    return found.reason


def test_an_own_account_earns_nothing(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    me = desk.affiliate_row(affiliate).customer_id
    order = desk.buy({mug: 1}, customer_id=me, visitor_id=desk.click(affiliate))
    assert refused(desk, order) is RefusalReason.SAME_ACCOUNT


def test_an_own_mailbox_earns_nothing_whatever_its_spelling(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme(), "asha.rao@gmail.com")
    order = desk.buy({mug: 1}, email="AshaRao+gifts@googlemail.com", visitor_id=desk.click(affiliate))
    assert refused(desk, order) is RefusalReason.SAME_EMAIL


def test_an_own_phone_earns_nothing_with_or_without_country_code(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme(), phone="098123-45678")
    order = desk.buy({mug: 1}, visitor_id=desk.click(affiliate))
    assert refused(desk, order) is RefusalReason.SAME_PHONE


def test_an_own_address_earns_nothing_however_it_is_written(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme(), line1="12, M.G. ROAD", postal_code="560 001")
    assert ADDRESS["line1"] == "12 MG Road"
    order = desk.buy({mug: 1}, visitor_id=desk.click(affiliate))
    assert refused(desk, order) is RefusalReason.SAME_ADDRESS


def test_an_address_of_the_own_book_earns_nothing(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    me = desk.affiliate_row(affiliate).customer_id
    fields = {name: ADDRESS[name] for name in ("recipient", "line1", "city", "postal_code", "country")}
    desk.kit.run(lambda s: add_address(s, customer_id=me, fields=dict(fields), now=desk.now).id)
    with desk.kit.database.read() as session:
        assert accounts.list_addresses(session, customer_id=me)
    order = desk.buy({mug: 1}, visitor_id=desk.click(affiliate))
    assert refused(desk, order) is RefusalReason.SAME_ADDRESS


def test_the_own_order_binds_nobody(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme(), phone="9812345678")
    visitor = desk.click(affiliate)
    desk.buy({mug: 1}, visitor_id=visitor)
    desk.later(days=100)
    assert desk.attribution(desk.buy({mug: 1}, visitor_id=visitor)) is None


# ── who is not active earns nothing ────────────────────────────────────────────────────────────────────────────


def test_from_the_moment_of_deactivation_nothing_is_earned(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    desk.code(affiliate, "ASHA-GIFTS")
    visitor = desk.click(affiliate)
    before = desk.buy({mug: 1}, visitor_id=visitor, settle=False)
    unpaid = desk.kit.buy({mug: 1}, visitor_id=visitor, email="slow@example.com", pay=False)
    desk.later(seconds=1)
    desk.deactivate(affiliate)
    desk.kit.pay(unpaid)
    after = desk.buy({mug: 1}, visitor_id=visitor, referral_code="ASHA-GIFTS", email="after@example.com")
    for order in (before, unpaid):
        desk.settle(order)  # the news of both come after the deactivation
    assert desk.owner(before) == affiliate, "it was earned before"
    assert desk.attribution(unpaid) is None
    assert desk.attribution(after) is None
    assert desk.click(affiliate, visitor) is None, "the link leads on, and counts nothing"


def test_a_second_approval_opens_a_new_period(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    desk.later(days=1)
    desk.deactivate(affiliate)
    desk.later(days=1)
    desk.kit.run(lambda s: affiliates.approve(s, affiliate_id=affiliate, actor="test", now=desk.now).id)
    assert desk.owner(desk.buy({mug: 1}, visitor_id=desk.click(affiliate))) == affiliate


def test_nobody_earns_before_they_are_approved_or_decides_about_themselves(desk: Desk) -> None:
    programme = desk.programme()
    affiliate = desk.affiliate(programme, approve=False)
    with pytest.raises(Conflict, match="active"):
        desk.code(affiliate, "EARLY")
    customer = desk.affiliate_row(affiliate).customer_id
    with desk.kit.database.read() as session:
        user = accounts.get_customer(session, customer).user_id
    with pytest.raises(InvalidInput, match="own application"):
        desk.kit.run(lambda s: affiliates.approve(s, affiliate_id=affiliate, actor=f"user:{user}", now=desk.now).id)
    with pytest.raises(Conflict, match="applied before"):
        desk.kit.run(
            lambda s: (
                affiliates.apply(
                    s, customer_id=customer, programme_id=programme, full_name="Asha", now=desk.now, **HOME
                ).id
            )
        )


@pytest.mark.parametrize("landing", ["//evil.example", "/\\evil.example", "https://evil.example", "products", "/a\nb"])
def test_a_link_never_leads_out_of_the_shop(desk: Desk, landing: str) -> None:
    affiliate = desk.affiliate(desk.programme())
    with pytest.raises(InvalidInput, match="path of the shop"):
        desk.kit.run(
            lambda s: affiliates.add_link(s, affiliate_id=affiliate, landing=landing, label="x", now=desk.now).id
        )


def test_versions_follow_one_another_and_are_never_written_into_the_past(desk: Desk, mug: int) -> None:
    programme = desk.programme(window_days=1)
    affiliate = desk.affiliate(programme)
    visitor = desk.click(affiliate)
    desk.later(days=2)
    desk.version(programme, window_days=30, valid_from=desk.now + timedelta(days=1))
    assert desk.attribution(desk.buy({mug: 1}, visitor_id=visitor)) is None
    desk.later(days=1)
    assert desk.owner(desk.buy({mug: 1}, visitor_id=visitor)) == affiliate
    with pytest.raises(InvalidInput, match="not before"):
        desk.version(programme, valid_from=desk.now - timedelta(seconds=1))
