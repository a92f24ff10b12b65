"""What sending costs: by zone and chargeable weight, free above a threshold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.trade import TradeKit, settings
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.shipping import service, tariff
from transactional.shipping.service import Box, ShippingQuote
from transactional.shipping.weights import chargeable, weigh


def ask(kit: TradeKit, postal_code: str | None = "560001", **more: object) -> ShippingQuote:
    values: dict[str, object] = {"merchandise_minor": 50_000, "weight_grams": 400, "country": "IN", **more}
    with kit.database.read() as session:
        return service.quote(session, settings=settings(), postal_code=postal_code, **values)


@pytest.mark.parametrize(
    ("postal_code", "zone", "amount"),
    [
        ("560001", "local", 9_900),
        ("570 010", "regional", 10_900),
        ("411001", "metro", 11_900),
        ("414001", "national", 12_900),
        ("190001", "special", 17_900),
        ("682551", "special", 17_900),
    ],
)
def test_the_longest_prefix_decides_the_zone(kit: TradeKit, postal_code: str, zone: str, amount: int) -> None:
    quote = ask(kit, postal_code)
    assert (quote.zone, quote.amount_minor, quote.is_estimate) == (zone, amount, False)
    with kit.database.read() as session:
        assert service.zone_of(session, postal_code=postal_code, country="India") == zone


@pytest.mark.parametrize(
    ("grams", "charged", "amount"),
    [(1, 500, 9_900), (500, 500, 9_900), (501, 1_000, 11_900), (1_500, 1_500, 13_900), (100_000, 100_000, 407_900)],
)
def test_weight_is_rounded_up_to_the_slab(kit: TradeKit, grams: int, charged: int, amount: int) -> None:
    quote = ask(kit, weight_grams=grams)
    assert (quote.chargeable_grams, quote.amount_minor) == (charged, amount)


def test_a_large_light_box_pays_for_its_size(kit: TradeKit) -> None:
    quote = ask(kit, weight_grams=100, box=Box(300, 200, 100))
    assert Box(300, 200, 100).volumetric_grams == 1_200
    assert (quote.chargeable_grams, quote.amount_minor) == (1_500, 13_900)


def test_merchandise_above_the_threshold_travels_free(kit: TradeKit) -> None:
    assert ask(kit, merchandise_minor=149_899).amount_minor == 9_900
    assert ask(kit, merchandise_minor=149_900).amount_minor == 0
    assert ask(kit, "797001", merchandise_minor=149_900).amount_minor == 17_900, "the far corners cost more"
    assert ask(kit, merchandise_minor=149_900).rule == "zone local: free from 149900 minor units"


def test_without_a_postal_code_the_cheapest_zone_is_an_estimate(kit: TradeKit) -> None:
    assert ask(kit, None) == ShippingQuote(
        9_900, "zone local: 9900 for the first 500 g, 2000 for each further; 500 g charged", "local", 500, True
    )
    assert ask(kit, None, weight_grams=0).amount_minor == 9_900, "an empty basket is no error"


@pytest.mark.parametrize("postal_code", ["012345", "56000", "5600011", "abcdef", "", "५६०००१"])
def test_what_cannot_be_a_pincode_is_refused(kit: TradeKit, postal_code: str) -> None:
    with pytest.raises(InvalidInput, match="no Indian pincode"):
        ask(kit, postal_code)


@pytest.mark.parametrize(
    ("postal_code", "country"), [("350001", "IN"), ("870001", "IN"), ("SW1A 1AA", "GB"), ("1", "")]
)
def test_places_that_no_zone_knows_are_refused(kit: TradeKit, postal_code: str, country: str) -> None:
    with pytest.raises(InvalidInput, match="we do not send to"):
        ask(kit, postal_code, country=country)


@pytest.mark.parametrize("grams", [0, -1, None])
def test_a_parcel_of_no_weight_is_refused(kit: TradeKit, grams: int | None) -> None:
    with pytest.raises(InvalidInput, match="more than zero grams"):
        ask(kit, weight_grams=grams)


@pytest.mark.parametrize("sides", [(0, 1, 1), (1, -1, 1)])
def test_a_box_has_three_sides(sides: tuple[int, int, int]) -> None:
    with pytest.raises(InvalidInput, match="longer than zero"):
        Box(*sides)


def test_a_shop_without_rates_in_its_currency_charges_the_flat_rule(kit: TradeKit) -> None:
    for postal_code in ("SW1A 1AA", None):
        quote = ask(kit, postal_code, country="GB", currency="GBP", weight_grams=0)
        assert (quote.amount_minor, quote.zone) == (9_900, None)


def test_staff_changes_where_and_for_how_much_the_shop_sends(kit: TradeKit) -> None:
    def change(session: object) -> None:
        tariff.set_zone(session, country="GB", prefix="", zone="abroad")
        tariff.set_zone(session, country="IN", prefix="4140", zone="local")
        tariff.set_rate(
            session,
            zone="abroad",
            currency="INR",
            slab_grams=1_000,
            first_minor=150_000,
            next_minor=90_000,
            free_from_minor=None,
            max_grams=2_000,
        )

    kit.run(change)
    assert ask(kit, "SW1A 1AA", country="gb", weight_grams=1_001, merchandise_minor=10**9).amount_minor == 240_000
    assert ask(kit, "414001").zone == "local"
    with pytest.raises(InvalidInput, match="at most 2000 g can be sent to zone abroad, this order weighs 2001 g"):
        ask(kit, "SW1A 1AA", country="GB", weight_grams=2_001)
    with kit.database.read() as session:
        local = next(rate for rate in tariff.list_rates(session) if rate.zone == "local")
        moved = next(row for row in tariff.list_zones(session) if row.prefix == "4140")
    kit.run(lambda s: tariff.delete_zone(s, zone_id=moved.id))
    assert ask(kit, "414001").zone == "national"
    kit.run(lambda s: tariff.delete_rate(s, rate_id=local.id))
    with pytest.raises(InvalidInput, match="we do not send to IN 560001"):
        ask(kit, "560001")


def test_wrong_changes_of_the_tariff_are_refused(kit: TradeKit) -> None:
    with pytest.raises(InvalidInput, match="two letters"):
        kit.run(lambda s: tariff.set_zone(s, country="Narnia", prefix="1", zone="x").id)
    with pytest.raises(NotFound):
        kit.run(lambda s: tariff.delete_zone(s, zone_id=10**6))
    with pytest.raises(NotFound):
        kit.run(lambda s: tariff.delete_rate(s, rate_id=10**6))


def test_the_tariff_is_seeded_once(kit: TradeKit) -> None:
    kit.run(lambda s: tariff.set_zone(s, country="IN", prefix="560", zone="metro").id)
    kit.run(tariff.seed_tariff)
    assert ask(kit, "560001").zone == "metro", "what staff has set stays"


@given(st.integers(1, 10**6), st.tuples(*[st.integers(1, 5_000)] * 3))
def test_the_chargeable_weight_is_never_below_either(grams: int, sides: tuple[int, int, int]) -> None:
    box = Box(*sides)
    weight = chargeable(grams, box)
    assert weight in {grams, box.volumetric_grams}
    assert weight >= grams
    assert weight * 5_000 >= box.length_mm * box.width_mm * box.height_mm


def test_an_article_without_a_weight_counts_the_default() -> None:
    assert weigh([(0, 3), (120, 2)], default_grams=250) == 990
    assert weigh([], default_grams=250) == 0


def test_the_conflict_of_two_setters_is_told(kit: TradeKit) -> None:
    with pytest.raises(Conflict), kit.database.unit_of_work(actor="test") as session:
        tariff._insert(session, tariff.ShippingZone(country="IN", prefix="560", zone="x"), "taken")
