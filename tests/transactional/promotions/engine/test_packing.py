"""Sets that want the same units: the search finds what trying every choice of them finds."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from hypothesis import assume, given, settings

from tests.transactional.promotions.engine.drawing import NOW, baskets, candidate_lists
from transactional.promotions.engine import Basket, Candidate, Shopper
from transactional.promotions.engine.admission import admit, ranked
from transactional.promotions.engine.contest import Contest, Taken
from transactional.promotions.engine.effort import Effort
from transactional.promotions.engine.facts import Moment
from transactional.promotions.engine.packing import best_sets, by_line
from transactional.promotions.engine.pricing import contest_of
from transactional.promotions.engine.selection import Shelves

SETS = {"product": ("buy_x_get_y", "buy_x_get_y", "buy_x_get_y", "cheapest_item", "percentage")}
MOST = 12


def contest(basket: Basket, candidates: Sequence[Candidate]) -> Contest:
    shelves = Shelves(basket)
    return contest_of(shelves.lines, admit(Moment(basket, Shopper(), NOW), shelves, ranked(candidates)).entries)


def minor(of: Contest, chosen: Sequence[Taken]) -> int:
    users = by_line(chosen)
    return sum(of.line_minor(number, users.get(number, ())) for number in range(len(of.lines)))


def every_choice(of: Contest) -> Iterator[Sequence[Taken]]:
    for size in range(len(of.sets) + 1):
        for chosen in combinations(of.sets, size):
            users = by_line(chosen)
            if all(
                sum(one.parts[number].units for one in taken) <= of.lines[number].quantity
                for number, taken in users.items()
            ):
                yield chosen


@settings(max_examples=150, deadline=None)
@given(basket=baskets(most_lines=5), candidates=candidate_lists(least=3, most=7, kinds=SETS))
def test_no_choice_of_sets_saves_more(basket: Basket, candidates: list[Candidate]) -> None:
    of = contest(basket, candidates)
    assume(2 <= len(of.sets) <= MOST)
    effort = Effort()
    found = best_sets(of, effort)
    assert not effort.exhausted
    best = max(minor(of, chosen) for chosen in every_choice(of))
    assert minor(of, found) == best
    assert best <= of.bound_minor()


@settings(max_examples=60, deadline=None)
@given(basket=baskets(most_lines=5), candidates=candidate_lists(least=3, most=7, kinds=SETS))
def test_what_a_set_adds_never_exceeds_its_bound(basket: Basket, candidates: list[Candidate]) -> None:
    of = contest(basket, candidates)
    assume(1 <= len(of.sets) <= 8)
    bounds = of.most_gained()
    choices = list(every_choice(of))
    worth = {tuple(one.index for one in chosen): minor(of, chosen) for chosen in choices}
    for chosen in choices:
        for one in chosen:
            without = tuple(other.index for other in chosen if other is not one)
            assert worth[tuple(other.index for other in chosen)] - worth[without] <= bounds[one.index]
