"""Places that no courier serves are not sold to, and checkout never asks the carrier."""

from datetime import timedelta

import pytest

from tests.support.trade import settings
from tests.transactional.shipping.depot import Depot
from transactional.core.errors import InvalidInput
from transactional.shipping import jobs, service, serviceability, tariff
from transactional.shipping.api import _READS
from transactional.shipping.service import ShippingQuote
from transactional.shipping_standin.faults import Fault


def ask(depot: Depot, postal_code: str = "414001", grams: int = 400) -> ShippingQuote:
    with depot.database.read() as session:
        return service.quote(
            session, merchandise_minor=50_000, settings=settings(), weight_grams=grams, postal_code=postal_code
        )


def refuse(depot: Depot, *, cod: bool = False, grams: int = 400) -> None:
    depot.kit.run(
        lambda s: serviceability.note_refusal(s, postal_code="414001", cod=cod, grams=grams, now=depot.kit.now)
    )


@pytest.mark.parametrize("code", ["999999", "900056", "937099", "350001", "860001"])
def test_places_of_no_zone_are_refused(depot: Depot, code: str) -> None:
    with pytest.raises(InvalidInput, match="do not send"):
        ask(depot, code)


@pytest.mark.parametrize("code", ["012345", "12345", "1234567", "५६०००१"])
def test_codes_that_are_none_are_refused(depot: Depot, code: str) -> None:
    with pytest.raises(InvalidInput, match="no Indian pincode"):
        ask(depot, code)


def test_a_shop_that_sends_by_the_army_s_post_says_so(depot: Depot) -> None:
    depot.kit.run(lambda s: tariff.set_zone(s, country="IN", prefix="9", zone="special").id)
    assert ask(depot, "900056").zone == "special"


def test_the_carrier_s_refusal_is_learnt_from_a_parcel_and_no_call_is_made_to_know_it(depot: Depot) -> None:
    depot.standin.switches.change({"couriers": "none"})
    depot.pack(depot.order())
    depot.work()
    calls = len(depot.standin.requests())
    with pytest.raises(InvalidInput, match="no courier carries"):
        ask(depot, "560001", grams=600)
    assert len(depot.standin.requests()) == calls


def test_a_heavy_parcel_s_refusal_says_nothing_of_light_ones(depot: Depot) -> None:
    refuse(depot, grams=5_000)
    assert ask(depot, grams=4_999).zone == "national"
    refuse(depot, grams=9_000)
    with pytest.raises(InvalidInput, match="no courier carries"):
        ask(depot, grams=5_000)


def test_where_no_money_is_collected_goods_still_go(depot: Depot) -> None:
    refuse(depot, cod=True)
    assert ask(depot).zone == "national"


def test_old_refusals_are_asked_again(depot: Depot) -> None:
    refuse(depot)
    jobs.ask_again(depot.database)
    with pytest.raises(InvalidInput):
        ask(depot)
    depot.clock.advance(serviceability.AGE)
    depot.standin.faults.arm(Fault.HTML_502, method="GET", path_part="/courier/serviceability", times=_READS)
    jobs.ask_again(depot.database)
    with pytest.raises(InvalidInput):
        ask(depot)
    jobs.ask_again(depot.database)
    assert ask(depot).zone == "national"


def test_a_shop_without_a_carrier_forgets_refusals(depot: Depot) -> None:
    refuse(depot)
    depot.clock.advance(serviceability.AGE + timedelta(days=1))
    assert serviceability.ask_again(depot.database, None) == 1
    assert ask(depot).zone == "national"
