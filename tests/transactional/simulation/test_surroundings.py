"""What surrounds the shoppers, without a database: places, suppliers, hampers, and how parcels travel."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from transactional.documents.states import place_of_supply
from transactional.shipping.indian_zones import PREFIXES
from transactional.shipping.models import ShipmentStatus
from transactional.shipping.timeline import FINAL, Scan, fold
from transactional.shipping_standin.journeys import SCRIPTS
from transactional.simulation.gifts import CATEGORIES, GIFTS, HAMPERS
from transactional.simulation.places import PLACES, Place, draw_place, is_remote
from transactional.simulation.procurement import HOUSES
from transactional.simulation.travelling import PROMISED_DAYS, SCANS, Journey, is_rush

START = datetime(2025, 9, 1, 6, 30, tzinfo=UTC)


def zone_of(postal_code: str) -> str:
    longest = max((prefix for prefix in PREFIXES if postal_code.startswith(prefix)), key=len)
    return PREFIXES[longest]


def test_shoppers_live_in_every_zone_of_the_tariff() -> None:
    assert {zone_of(place.postal_code) for place in PLACES} == set(PROMISED_DAYS)
    assert {zone_of(place.postal_code) for place in PLACES if place.is_remote} == {"special"}
    assert len({place.postal_code for place in PLACES}) == len(PLACES)
    drawn = [draw_place(Random(seed)).city for seed in range(400)]
    assert 20 < drawn.count("Bengaluru") < 100
    assert is_remote("744101")
    assert not is_remote("560034")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.city)
def test_state_and_pincode_of_a_place_agree(place: Place) -> None:
    by_state = place_of_supply(state=place.state, postal_code=None, country="India")
    assert by_state == place_of_supply(state=None, postal_code=place.postal_code, country="India")


def test_somebody_sells_every_gift_to_the_shop() -> None:
    named = [category for house in HOUSES for category in house.categories]
    assert len(named) == len(set(named))
    assert set(named) <= set(CATEGORIES)
    assert [house.code for house in HOUSES if not house.categories] == ["BAZAAR"]


def test_hampers_are_put_together_of_gifts_that_cost_about_as_much() -> None:
    prices = {gift.sku: gift.price for gift in GIFTS}
    for sku, parts in HAMPERS.items():
        assert not set(parts) & set(HAMPERS)
        together = sum(prices[part] * units for part, units in parts.items())
        assert 0.7 * prices[sku] < together < 1.3 * prices[sku]


@pytest.mark.parametrize("fate", sorted(SCANS))
def test_every_fate_ends_where_the_carriers_script_ends(fate: str) -> None:
    journey = Journey(1, 1, "own", (), fate, START, START + timedelta(days=4))
    reports = list(journey.reports())
    moments = [report.occurred_at for report in reports]
    assert moments == sorted(moments)
    assert moments[-1] == journey.ends
    standing = fold([Scan(ShipmentStatus.PICKED_UP, START), *(Scan(r.status, r.occurred_at) for r in reports)])
    assert standing.status in FINAL
    assert standing.status is reports[-1].status
    assert fate in SCRIPTS


def test_couriers_are_overrun_before_diwali() -> None:
    feast = date(2025, 10, 20)
    assert is_rush(feast)
    assert is_rush(feast - timedelta(days=14))
    assert is_rush(feast + timedelta(days=4))
    assert not is_rush(feast - timedelta(days=15))
    assert not is_rush(feast + timedelta(days=5))
    assert not is_rush(date(2040, 10, 20))
