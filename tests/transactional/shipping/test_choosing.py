"""Which courier carries a parcel, and the table that says why."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transactional.shipping.depot import Depot
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.shipping import reading, risk, rules
from transactional.shipping.carrier import CourierOffer
from transactional.shipping.choosing import ParcelFacts, rank
from transactional.shipping.models import CourierRule, RuleAction, Shipment, ShipmentStatus
from transactional.shipping.rules import RuleValues


def offer(courier_id: int, rate: int, **more: object) -> CourierOffer:
    values: dict[str, object] = {
        "rto_charge_minor": 0,
        "cod": True,
        "max_grams": None,
        "estimated_days": 4,
        "expected_at": None,
        "rating_milli": 4_000,
        "suppressed": False,
        **more,
    }
    return CourierOffer(courier_id=courier_id, name=f"courier {courier_id}", rate_minor=rate, **values)


def facts(**more: object) -> ParcelFacts:
    return ParcelFacts(**{"zone": "metro", "cod": False, "chargeable_grams": 600, "rto_probability_bp": 1_000, **more})


def rule(action: RuleAction, priority: int = 100, **more: object) -> CourierRule:
    values: dict[str, object] = {"min_grams": 0, "adjustment_minor": 0, "is_active": True, **more}
    return CourierRule(id=priority, name=f"rule {priority}", priority=priority, action=action, **values)


def best(*offers: CourierOffer, by: list[CourierRule] | None = None, **more: object) -> list[int]:
    """The ids that may be taken, best first."""
    return [each.offer.courier_id for each in rank(offers, by or [], facts(**more)) if each.rank is not None]


def test_the_risk_of_a_return_is_part_of_the_price() -> None:
    cheap, safe = offer(1, 4_000, rto_charge_minor=20_000), offer(2, 5_000, rto_charge_minor=1_000)
    assert best(cheap, safe, rto_probability_bp=100) == [1, 2]
    assert best(cheap, safe, rto_probability_bp=3_000) == [2, 1]
    table = rank([cheap], [], facts(rto_probability_bp=3_000))
    assert table[0].predicted_cost_minor == 10_000
    assert "return to origin: 30.00 % of 20000 = 6000" in table[0].reasons


def test_who_may_not_carry_it_is_kept_with_the_reason() -> None:
    offers = [
        offer(1, 1, cod=False),
        offer(2, 1, max_grams=599),
        offer(3, 1, suppressed=True),
        offer(4, 1, blocked_because="temporarily not served"),
        offer(5, 9),
    ]
    table = rank(offers, [], facts(cod=True))
    assert [(each.offer.courier_id, each.excluded_because) for each in table] == [
        (5, None),
        (1, "collects no cash at the door"),
        (2, "carries at most 599 g"),
        (3, "fetches no parcels at present"),
        (4, "temporarily not served"),
    ]


def test_rules_block_allow_and_adjust_by_priority() -> None:
    offers = [offer(1, 4_000), offer(2, 4_500)]
    assert best(*offers, by=[rule(RuleAction.BLOCK, courier_id=1)]) == [2]
    assert best(*offers, by=[rule(RuleAction.BLOCK, courier_id=1), rule(RuleAction.ALLOW, 50, zone="metro")]) == [1, 2]
    assert best(*offers, by=[rule(RuleAction.BLOCK, courier_id=1, zone="special")]) == [1, 2]
    assert best(*offers, by=[rule(RuleAction.BLOCK, cod=True)]) == [1, 2]
    assert best(*offers, by=[rule(RuleAction.BLOCK, min_grams=600)]) == []
    assert best(*offers, by=[rule(RuleAction.BLOCK, max_grams=599)]) == [1, 2]
    assert best(*offers, by=[rule(RuleAction.BLOCK, is_active=False)]) == [1, 2]
    assert best(*offers, by=[rule(RuleAction.ADJUST, courier_id=2, adjustment_minor=-600)]) == [2, 1]


def test_equal_prices_go_to_the_quicker_then_the_better_rated() -> None:
    slow, quick = offer(1, 4_000, estimated_days=6), offer(2, 4_000, estimated_days=2)
    liked, unknown = offer(3, 4_000, estimated_days=6, rating_milli=4_900), offer(4, 4_000, estimated_days=None)
    assert best(slow, quick, liked, unknown) == [2, 3, 1, 4]


@given(st.permutations([offer(number, 4_000 + 100 * (number % 3), rto_charge_minor=900) for number in range(6)]))
def test_the_order_of_offers_makes_no_difference(offers: list[CourierOffer]) -> None:
    assert best(*offers) == [0, 3, 1, 4, 2, 5]


def test_the_table_is_stored_and_the_best_is_taken(depot: Depot) -> None:
    depot.kit.run(
        lambda s: (
            rules.create_rule(
                s, values=RuleValues("no India Post", 1, RuleAction.BLOCK, courier_id=91), now=depot.kit.now
            ).id
        )
    )
    parcel_id = depot.send()
    with depot.database.read() as session:
        table = reading.choices_of(session, parcel_id)
    assert [row.rank for row in table] == [1, 2, 3, 4, None]
    assert [row.chosen for row in table] == [True, False, False, False, False]
    assert (table[-1].courier_id, table[-1].excluded_because) == (91, "rule 'no India Post'")
    assert all(row.predicted_cost_minor == row.rate_minor + _risk(row.rto_charge_minor, 200) for row in table)
    costs = [row.predicted_cost_minor for row in table[:-1]]
    assert costs == sorted(costs)
    parcel = depot.parcel(parcel_id)
    assert (parcel.courier_id, parcel.quoted_minor) == (table[0].courier_id, table[0].rate_minor)
    assert depot.at_carrier(parcel_id).courier_id == table[0].courier_id
    assert depot.at_carrier(parcel_id).rate_paise == table[0].rate_minor, "paise come through exactly"


def _risk(charge: int, probability_bp: int) -> int:
    return (charge * probability_bp + 5_000) // 10_000


def test_the_chance_of_a_return_follows_the_shop_s_own_history(depot: Depot) -> None:
    order_id = depot.order()

    def history(postal_code: str, back: int, delivered: int, customer_id: int | None = None) -> None:
        def work(session: object) -> None:
            for number in range(back + delivered):
                status = ShipmentStatus.RTO_DELIVERED if number < back else ShipmentStatus.DELIVERED
                session.add(  # type: ignore[attr-defined]
                    Shipment(
                        order_id=order_id,
                        carrier="own",
                        status=status,
                        postal_code=postal_code,
                        customer_id=customer_id,
                        created_at=depot.kit.now - timedelta(days=3),
                    )
                )

        depot.kit.run(work)

    def chance(postal_code: str, customer_id: int | None = None, *, cod: bool = False) -> int:
        with depot.database.read() as session:
            return risk.rto_probability_bp(
                session, postal_code=postal_code, cod=cod, customer_id=customer_id, now=depot.kit.now
            )

    assert (chance("560001"), chance("560001", cod=True)) == (200, 1_500)
    history("560001", back=1, delivered=99)
    assert chance("560001") < 200 < chance("560001", cod=True)
    history("797001", back=10, delivered=10)
    assert chance("797001") > 2_000 > chance("560001")
    customer = depot.kit.customer()
    history("560001", back=3, delivered=0, customer_id=customer)
    assert chance("560001", customer) > 2 * chance("560001")
    depot.clock.advance(timedelta(days=400))
    assert chance("797001") == 200, "what lies more than a year back is forgotten"


def test_predictions_are_compared_with_real_costs(depot: Depot) -> None:
    done, _under_way = depot.send(), depot.send()
    depot.advance(done, 20)
    depot.tell_all()
    india = ZoneInfo("Asia/Kolkata")
    with depot.database.read() as session:
        (row,) = rules.accuracy(session, month=date(2026, 1, 31), zone=india)
        assert rules.accuracy(session, month=date(2025, 12, 31), zone=india) == []
    parcel = depot.parcel(done)
    assert (row.parcels, row.predicted_minor, row.charged_minor) == (
        1,
        parcel.predicted_cost_minor,
        parcel.cost_minor,
    )


def test_rules_that_make_no_sense_are_refused(depot: Depot) -> None:
    with pytest.raises(InvalidInput, match="match nothing"):
        RuleValues("x", 1, RuleAction.BLOCK, min_grams=10, max_grams=9)
    with pytest.raises(InvalidInput, match="amount belongs"):
        RuleValues("x", 1, RuleAction.BLOCK, adjustment_minor=5)
    with pytest.raises(InvalidInput, match="amount belongs"):
        RuleValues("x", 1, RuleAction.ADJUST)
    values = RuleValues("x", 1, RuleAction.BLOCK)
    depot.kit.run(lambda s: rules.create_rule(s, values=values, now=depot.kit.now).id)
    with pytest.raises(Conflict, match="named 'x'"):
        depot.kit.run(lambda s: rules.create_rule(s, values=values, now=depot.kit.now).id)
    with pytest.raises(NotFound):
        depot.kit.run(lambda s: rules.change_rule(s, rule_id=99, values=values).id)
