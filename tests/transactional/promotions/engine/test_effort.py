"""A pathological set of offers: the search ends, says that it did, and what it gives is legal all the same."""

from tests.transactional.promotions.engine.drawing import NOW, SOMEBODY, basket, line, offers, rule, solved
from transactional.promotions.engine import Basket, Candidate, recompute, solve, trace_of


def knot() -> tuple[Basket, list[Candidate]]:
    """Forty offers of sets that all want each other's units, and none clearly better than another."""
    of = basket(*(line(number, 10_000 + 7 * number, 3, number % 7, number % 5) for number in range(1, 31)))
    rules = [
        rule(
            "buy_x_get_y",
            args={
                "buy": 1 + number % 3,
                "get": 1,
                "bp": 9_000 + 13 * number,
                "select": {"category_ids": [number % 7, number % 5]},
            },
        )
        for number in range(40)
    ]
    return of, offers(*rules)


def test_a_knot_is_given_up_after_so_many_steps_and_stays_legal() -> None:
    of, candidates = knot()
    outcome = solve(of, SOMEBODY, NOW, candidates, steps=200)
    assert not outcome.proved_best
    assert outcome.saving_minor >= max(solved(of, [one]).saving_minor for one in candidates) // 2
    rules = {(one.offer_id, one.version): one.rule for one in candidates}
    assert recompute(trace_of(of, outcome), rules) == outcome.applied


def test_the_same_basket_gives_the_same_answer_however_long_the_machine_takes() -> None:
    of, candidates = knot()
    hurried = solve(of, SOMEBODY, NOW, candidates, steps=50)
    assert solve(of, SOMEBODY, NOW, candidates[::-1], steps=50) == hurried


def test_hundreds_of_sets_on_one_line_end_too() -> None:
    of = basket(line(1, 10_000, 1_000))
    one_set = rule("buy_x_get_y", args={"buy": 1, "get": 1, "max_sets": 1})
    outcome = solved(of, offers(*[one_set] * 300))
    assert not outcome.proved_best
    assert outcome.saving_minor == 300 * 10_000


def test_a_maximum_among_hundreds_ends_too() -> None:
    of = basket(*(line(number, 10_000 + number) for number in range(1, 31)))
    rules = [
        rule("percentage", args={"bp": 100 + number, "select": {"product_ids": [1 + number % 30]}}, max_per_class=20)
        for number in range(300)
    ]
    outcome = solved(of, offers(*rules))
    assert len(outcome.applied) == 20
