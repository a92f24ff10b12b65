"""What is drawn without a database: feasts, catalogue, shoppers, their visits and choices."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import holidays
import pytest

from transactional.simulation.choosing import Tastes
from transactional.simulation.feasts import DIWALI, feasts_between, mothers_day
from transactional.simulation.gifts import CATEGORIES, GIFTS, OCCASIONS, STYLES
from transactional.simulation.shoppers import Shopper, make_shopper, plan_visits
from transactional.simulation.wording import gift_message, review, search

START = datetime(2024, 7, 1, tzinfo=UTC)
END = datetime(2026, 6, 30, 18, 30, tzinfo=UTC)


def people(count: int, seed: int = 7) -> list[Shopper]:
    rng = Random(seed)
    return [make_shopper(rng, number, start=START, end=END) for number in range(1, count + 1)]


@pytest.mark.parametrize("year", sorted(DIWALI))
def test_diwali_is_on_the_day_that_india_keeps(year: int) -> None:
    named = {day for day, name in holidays.country_holidays("IN", years=year).items() if "Diwali" in name}
    assert date(year, *DIWALI[year]) in named


def test_feasts_come_in_the_order_of_days_and_within_the_bounds() -> None:
    feasts = feasts_between(date(2025, 2, 14), date(2025, 10, 20))
    assert [feast.occasion for feast in feasts] == ["valentine", "mothers-day", "rakhi", "diwali"]
    assert mothers_day(2025) == date(2025, 5, 11)
    assert feasts_between(date(2025, 2, 15), date(2025, 2, 20)) == []


def test_the_catalogue_is_whole() -> None:
    assert 100 <= len(GIFTS) <= 140
    assert len({gift.sku for gift in GIFTS}) == len({gift.name for gift in GIFTS}) == len(GIFTS)
    assert {occasion for gift in GIFTS for occasion in gift.occasions} <= set(OCCASIONS)
    assert {style for gift in GIFTS for style in gift.styles} <= set(STYLES)
    assert all(gift.price > 0 and gift.occasions and gift.styles for gift in GIFTS)
    assert all(sum(gift.category == name for gift in GIFTS) >= 5 for name in CATEGORIES)


def test_the_same_seed_gives_the_same_people() -> None:
    assert people(20) == people(20)
    assert people(20) != people(20, seed=8)


def test_people_are_plausible() -> None:
    crowd = people(500)
    assert len({shopper.email for shopper in crowd}) == 500
    assert all(START <= shopper.joined < END and shopper.joined < shopper.leaves for shopper in crowd)
    assert all(abs(sum(shopper.styles.values()) - 1) < 1e-9 for shopper in crowd)
    assert 0.05 < sum(shopper.is_guest for shopper in crowd) / 500 < 0.16
    assert {shopper.language for shopper in crowd} == {"english", "hindi", "hinglish"}


def test_visits_lie_between_joining_and_leaving_in_the_order_of_time() -> None:
    feasts = feasts_between(START.date(), END.date())
    rng = Random(1)
    for shopper in people(60):
        visits = plan_visits(rng, shopper, feasts, end=END)
        moments = [visit.moment for visit in visits]
        assert moments == sorted(moments)
        assert all(shopper.joined < moment < min(shopper.leaves, END) for moment in moments)


def test_gifts_for_a_feast_are_bought_in_the_two_weeks_before_it() -> None:
    feasts = feasts_between(START.date(), END.date())
    days = {feast.day for feast in feasts if feast.occasion == "diwali"}
    rng = Random(2)
    bought = [
        visit.moment.date()
        for shopper in people(200)
        for visit in plan_visits(rng, shopper, feasts, end=END)
        if visit.occasion == "diwali"
    ]
    assert len(bought) > 20
    assert all(any(timedelta(0) < day - moment <= timedelta(days=14) for day in days) for moment in bought)


def test_choices_follow_tastes_occasions_and_prices() -> None:
    tastes = Tastes(Random(3))
    shopper = people(1)[0]
    dearest, cheapest = max(GIFTS, key=lambda g: g.price), min(GIFTS, key=lambda g: g.price)
    shopper.budget, shopper.price_sensitivity = 400, 4.0
    assert tastes.preference(shopper, dearest) < tastes.preference(shopper, cheapest)
    rakhi = next(gift for gift in GIFTS if gift.category == "Rakhi")
    assert tastes.utility(shopper, rakhi, "rakhi") > tastes.utility(shopper, rakhi, None) + 4
    before = tastes.utility(shopper, cheapest, None)
    shopper.bought[cheapest.sku] = 1
    assert tastes.utility(shopper, cheapest, None) == pytest.approx(before + shopper.repeat_habit)
    chosen = tastes.choose(Random(4), shopper, "rakhi", 5)
    assert len(set(chosen)) == 5
    ranking = tastes.ranking(shopper)
    assert len(ranking) == len(GIFTS)
    assert [score for _, score in ranking] == sorted((score for _, score in ranking), reverse=True)


def test_words_exist_for_every_gift_score_and_language() -> None:
    rng = Random(5)
    for gift in GIFTS:
        for score in range(1, 6):
            for language in ("english", "hindi", "hinglish"):
                title, body = review(rng, gift, score, language)
                assert body
                assert "{" not in title + body
    assert all("{" not in search(rng, occasion) for occasion in (*OCCASIONS, None) for _ in range(5))
    assert gift_message(rng, "housewarming") is None
