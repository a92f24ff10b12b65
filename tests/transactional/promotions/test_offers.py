"""Offers from the database: read once a change, for the right people, with hold-outs and floors."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from tests.support.offers import code, draft, move, offer, rule
from tests.support.trade import TradeKit
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.promotions import offers, service
from transactional.promotions.models import Arm, Promotion, PromotionExposure
from transactional.promotions.people import Person, is_held_out, normalise_phone, person_hash
from transactional.promotions.service import PromotionStatus

TEN = rule("percentage", bp=1_000)
CORPORATE = rule("percentage", bp=1_000, conditions={"customer_groups": {"groups": ["Corporate"]}})


def discount(kit: TradeKit, variant_id: int, **who: Any) -> int:
    """What an order of one unit is lowered by now."""
    return kit.order(kit.buy({variant_id: 1}, pay=False, **who)).discount_minor


class TestReading:
    """Automatic offers are read once for each change."""

    def test_nothing_is_read_twice_and_every_change_is_seen(self, kit: TradeKit) -> None:
        asked: list[str] = []
        event.listen(kit.database.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
        promotion_id = offer(kit, TEN)

        def look() -> int:
            asked.clear()
            with kit.database.read() as session:
                return len(offers.automatic_offers(session))

        assert look() == 1
        assert look() == 1
        assert [one for one in asked if one.startswith("SELECT")] == asked[-1:], "only the token"
        move(kit, promotion_id, PromotionStatus.PAUSED)
        assert look() == 0

    def test_a_change_that_is_rolled_back_leaves_nothing_behind(self, kit: TradeKit) -> None:
        promotion_id = offer(kit, TEN)

        def fail(session: Session) -> None:
            service.move(session, promotion_id=promotion_id, status=PromotionStatus.PAUSED)
            assert offers.automatic_offers(session) == ()
            raise RuntimeError("the power fails")

        with pytest.raises(RuntimeError):
            kit.run(fail)
        with kit.database.read() as session:
            assert len(offers.automatic_offers(session)) == 1

    def test_what_another_session_has_not_committed_is_not_seen(self, pg_kit: TradeKit) -> None:
        promotion_id = offer(pg_kit, TEN)
        with pg_kit.database.unit_of_work(actor="test") as writer:
            service.move(writer, promotion_id=promotion_id, status=PromotionStatus.PAUSED)
            with pg_kit.database.read() as reader:
                assert len(offers.automatic_offers(reader)) == 1
        with pg_kit.database.read() as reader:
            assert offers.automatic_offers(reader) == ()

    def test_without_offers_and_codes_one_question_is_asked(self, kit: TradeKit) -> None:
        asked: list[str] = []
        event.listen(kit.database.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
        with kit.database.read() as session:
            service.offers_for(session, codes=[], now=kit.now)
            asked.clear()
            assert service.offers_for(session, codes=[], now=kit.now).is_empty
        assert len(asked) == 1

    def test_a_drafts_code_is_not_open_yet(self, kit: TradeKit) -> None:
        promotion_id = draft(kit, TEN)
        kit.run(
            lambda s: service.add_code(s, promotion=service.get_promotion(s, promotion_id), new=service.NewCode("X")).id
        )
        with kit.database.read() as session:
            assert (
                service.evaluate(session, code="x", merchandise_minor=100, now=kit.now).reason == "it is not open yet"
            )


class TestHoldOut:
    """Some people are left out, always the same ones, so that the effect of an offer can be measured."""

    def test_arms_are_stable_and_logged_once_an_order(self, kit: TradeKit) -> None:
        cup = kit.variant("CUP", stock=99)
        promotion_id = offer(kit, TEN, holdout_bp=5_000)
        emails = [f"p{number}@example.com" for number in range(12)]
        expected = {email: 0 if is_held_out(promotion_id, email, 5_000) else 10_000 for email in emails}
        assert set(expected.values()) == {0, 10_000}
        for _ in range(2):
            assert {email: discount(kit, cup, email=email) for email in emails} == expected
        with kit.database.read() as session:
            rows = session.query(PromotionExposure).all()
        assert len(rows) == 24
        assert {(row.arm, row.is_applied) for row in rows} == {(Arm.TREATED, True), (Arm.HELD_OUT, False)}
        arms = {row.person_hash: row.arm for row in rows}
        assert len(arms) == 12
        assert arms[person_hash(promotion_id, emails[0])] == (Arm.TREATED if expected[emails[0]] else Arm.HELD_OUT)

    def test_whom_the_offer_was_never_for_says_nothing_about_it(self, kit: TradeKit) -> None:
        cup = kit.variant("CUP", stock=9)
        promotion_id = offer(kit, TEN, holdout_bp=5_000, usage_limit=1)
        shown = next(
            f"p{n}@example.com" for n in range(99) if not is_held_out(promotion_id, f"p{n}@example.com", 5_000)
        )
        assert discount(kit, cup, email=shown) == 10_000
        discount(kit, cup, email="late@example.com")
        assert kit.count(PromotionExposure) == 1

    def test_somebody_unknown_is_promised_nothing_that_may_be_withdrawn(self, kit: TradeKit) -> None:
        offer(kit, TEN, holdout_bp=1)
        with kit.database.read() as session:
            (candidate,) = service.offers_for(session, codes=[], now=kit.now).candidates
        assert candidate.blocked == offers.WHO_ARE_YOU

    @given(st.integers(1, 10**9), st.text(min_size=1), st.integers(0, 9_999), st.integers(0, 9_999))
    def test_a_smaller_hold_out_leaves_out_only_whom_a_greater_one_does(
        self, promotion_id: int, key: str, one: int, other: int
    ) -> None:
        low, high = sorted((one, other))
        assert is_held_out(promotion_id, key, low) <= is_held_out(promotion_id, key, high)

    def test_the_share_is_what_was_asked_for(self) -> None:
        left_out = sum(is_held_out(7, f"person-{number}", 2_000) for number in range(5_000))
        assert 900 <= left_out <= 1_100


class TestGroups:
    """Offers for customer groups and segments."""

    def test_members_have_it_while_they_are_members(self, kit: TradeKit) -> None:
        cup, asha = kit.variant("CUP", stock=9), kit.customer()
        offer(kit, CORPORATE)
        kit.run(lambda s: service.create_group(s, name="Corporate", now=kit.now).id)

        def members(*ids: int) -> int:
            return kit.run(
                lambda s: service.set_members(s, group=service.get_group(s, "Corporate"), customer_ids=ids, now=kit.now)
            )

        assert discount(kit, cup, customer_id=asha) == 0
        assert (members(asha), members(asha)) == (1, 0)
        assert discount(kit, cup, customer_id=asha) == 10_000
        assert discount(kit, cup) == 0
        assert members() == 1
        assert discount(kit, cup, customer_id=asha) == 0

    def test_bad_input_leaves_nothing(self, kit: TradeKit) -> None:
        kit.run(lambda s: service.create_group(s, name="Corporate", now=kit.now).id)
        with pytest.raises(Conflict):
            kit.run(lambda s: service.create_group(s, name=" Corporate ", now=kit.now))
        with pytest.raises(InvalidInput):
            kit.run(lambda s: service.create_group(s, name="  ", now=kit.now))
        with pytest.raises(NotFound):
            kit.run(lambda s: service.get_group(s, "Nobody"))
        with pytest.raises(InvalidInput, match=r"no customer 999$"):
            kit.run(
                lambda s: service.set_members(
                    s, group=service.get_group(s, "Corporate"), customer_ids=[999], now=kit.now
                )
            )
        with kit.database.read() as session:
            assert [count for _, count in service.list_groups(session, now=kit.now)] == [0]


def test_no_unit_costs_less_than_its_floor(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", price=10_000, stock=9), kit.variant("CARD", price=10_000, stock=9)
    kit.run(lambda s: service.set_floor(s, variant_id=cup, currency="INR", floor_minor=9_000))
    code(kit, "HALF", rule("percentage", "product", bp=5_000))
    order_id = kit.buy({cup: 2, card: 1}, coupon="HALF")
    assert [line.line_discount_minor for line in kit.lines(order_id)] == [2_000, 5_000]
    kit.run(lambda s: service.set_floor(s, variant_id=cup, currency="INR", floor_minor=0))
    assert kit.order(kit.buy({cup: 2}, coupon="HALF")).discount_minor == 10_000
    with pytest.raises(NotFound):
        kit.run(lambda s: service.set_floor(s, variant_id=999, currency="INR", floor_minor=1))
    with pytest.raises(InvalidInput):
        kit.run(lambda s: service.set_floor(s, variant_id=cup, currency="INR", floor_minor=-1))


def test_the_counters_are_compared_with_the_uses(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    offer(kit, TEN, usage_limit=5)
    kit.buy({cup: 1})
    kit.run(lambda s: s.execute(update(Promotion).values(used=3)) and None)
    with kit.database.read() as session:
        assert service.counter_discrepancies(session) == ["Offer"]


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("+91 98450-12345", "+919845012345"),
        ("098450 12345", "+919845012345"),
        ("9845012345", "+919845012345"),
        ("0091 98450 12345", "+919845012345"),
        ("+44 20 7946 0000", "+442079460000"),
    ],
)
def test_a_phone_is_one_however_it_is_typed(typed: str, compared: str) -> None:
    assert normalise_phone(typed) == compared


@pytest.mark.parametrize("typed", ["", "12", "+", "call me", "1" * 16, "٩٨٤٥٠١٢٣٤٥"])
def test_what_cannot_be_called_is_no_phone(typed: str) -> None:
    with pytest.raises(InvalidInput):
        normalise_phone(typed)
    assert Person(email="a@example.com", phone=typed).keys == ("a@example.com",)


def test_a_persons_keys_are_sorted_and_whole() -> None:
    person = Person(7, "A.sha+x@gmail.com", "9845012345")
    assert person.keys == ("asha@gmail.com", "customer:7", "phone:+919845012345")
    assert Person(7).main_key == "customer:7"
    assert not Person().is_known
