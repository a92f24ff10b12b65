"""The combination found is the best there is: compared with trying everything, on small baskets of every sort."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transactional.promotions.engine.drawing import NOW, SOMEBODY, baskets, candidate_lists, solved
from tests.transactional.promotions.engine.oracle import best_saving
from transactional.promotions.engine import Basket, Candidate, solve


@settings(max_examples=150, deadline=None)
@given(basket=baskets(), candidates=candidate_lists())
def test_no_legal_combination_saves_more(basket: Basket, candidates: list[Candidate]) -> None:
    outcome = solved(basket, candidates)
    assert outcome.proved_best
    assert outcome.saving_minor == best_saving(basket, candidates)


@settings(max_examples=150, deadline=None)
@given(basket=baskets(), candidates=candidate_lists(most=8), seed=st.integers(0, 1_000))
def test_the_order_of_candidates_and_lines_changes_nothing(
    basket: Basket, candidates: list[Candidate], seed: int
) -> None:
    shuffled = random.Random(seed).sample(candidates, len(candidates))
    turned = Basket(basket.currency, basket.lines[::-1], basket.shipping_minor, basket.country, basket.channel)
    assert solved(turned, shuffled) == solved(basket, candidates)


@settings(max_examples=40, deadline=None)
@given(basket=baskets(), candidates=candidate_lists(most=8))
def test_a_search_cut_short_says_so_and_stays_legal(basket: Basket, candidates: list[Candidate]) -> None:
    hurried = solve(basket, SOMEBODY, NOW, candidates, steps=1)
    best = solved(basket, candidates)
    assert hurried.saving_minor <= best.saving_minor
    assert hurried == best or not hurried.proved_best or hurried.saving_minor == best.saving_minor
