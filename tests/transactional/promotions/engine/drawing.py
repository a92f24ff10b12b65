"""Small baskets and every sort of rule, drawn by Hypothesis; and short ways to write both."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from transactional.promotions.engine import (
    Basket,
    Candidate,
    Line,
    Outcome,
    Rule,
    Shopper,
    parse_rule,
    solve,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOMEBODY = Shopper(identity="asha@example.in")
EVERY_CLASS = ("order", "product", "shipping")
CATEGORIES = (1, 2, 3)


def line(line_id: int, price: int, quantity: int = 1, *categories: int, floor: int = 0) -> Line:
    """A line whose product has the line's number."""
    return Line(line_id, 100 + line_id, line_id, frozenset(categories), quantity, price, floor)


def basket(*lines: Line, shipping: int | None = 9_900, country: str | None = "IN") -> Basket:
    return Basket("INR", lines, shipping_minor=shipping, country=country)


def rule(kind: str, discount_class: str = "product", **settings: Any) -> Rule:
    """A rule from what it gives (`args`) and its settings."""
    return parse_rule({"kind": kind, "discount_class": discount_class, **settings})


def percentage(bp: int, discount_class: str = "product", **settings: Any) -> Rule:
    args = {"bp": bp} | settings.pop("args", {})
    return rule("percentage", discount_class, args=args, **settings)


def offer(offer_id: int, one: Rule, code: str | None = None, blocked: str | None = None) -> Candidate:
    return Candidate(offer_id, 1, code, one, blocked)


def offers(*rules: Rule) -> list[Candidate]:
    """Automatic offers, numbered from 1."""
    return [offer(number, one) for number, one in enumerate(rules, start=1)]


def solved(of: Basket, candidates: list[Candidate], shopper: Shopper = SOMEBODY) -> Outcome:
    return solve(of, shopper, NOW, candidates)


@st.composite
def baskets(draw: st.DrawFn, most_lines: int = 4, most_units: int = 4) -> Basket:
    """Prices on both sides of what makes rounding hard, some with a floor, which may lie above the price."""
    lines = []
    for number in range(1, draw(st.integers(1, most_lines)) + 1):
        price = draw(st.one_of(st.integers(1_000, 30_000), st.integers(1_000, 30_000), st.integers(0, 40)))
        lines.append(
            Line(
                number,
                number,
                draw(st.integers(1, 4)),
                draw(st.frozensets(st.sampled_from(CATEGORIES), min_size=1, max_size=3)),
                draw(st.integers(1, most_units)),
                price,
                draw(st.sampled_from([0, 0, 0, 0, 0, price // 2, price, price + 10])),
            )
        )
    return Basket("INR", tuple(lines), shipping_minor=draw(st.sampled_from([0, 1, 4_900, 9_900, None])), country="IN")


def _some(ids: tuple[int, ...]) -> st.SearchStrategy[list[int]]:
    return st.sets(st.sampled_from(ids), min_size=1, max_size=2).map(sorted)


selections = st.one_of(
    st.none(),
    st.none(),
    st.fixed_dictionaries({"category_ids": _some(CATEGORIES)}),
    st.fixed_dictionaries({"product_ids": _some((1, 2, 3, 4))}),
)
_agreements = st.sampled_from(
    [EVERY_CLASS, EVERY_CLASS, ("order", "shipping"), ("order", "shipping"), ("product", "order"), ("product",), ()]
)
_bps = st.sampled_from([1, 333, 1_000, 2_500, 5_000, 9_999, 10_000])
_amounts = st.sampled_from([1, 7, 50, 1_000, 20_000])


def _without_none(**args: Any) -> dict[str, Any]:
    return {name: value for name, value in args.items() if value is not None}


@st.composite
def _given(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    if kind == "percentage":
        return _without_none(bp=draw(_bps), cap_minor=draw(st.one_of(st.none(), _amounts)))
    if kind == "fixed":
        return {"amount_minor": draw(_amounts), "each": draw(st.booleans())}
    if kind == "cheapest_item":
        return {"bp": draw(_bps)}
    if kind == "free_shipping":
        return _without_none(cap_minor=draw(st.one_of(st.none(), _amounts)))
    return _without_none(
        buy=draw(st.integers(1, 2)),
        get=draw(st.integers(1, 2)),
        bp=draw(_bps),
        max_sets=draw(st.sampled_from([None, None, 1])),
    )


KINDS = {
    "product": ("percentage", "fixed", "cheapest_item", "buy_x_get_y"),
    "order": ("percentage", "fixed"),
    "shipping": ("free_shipping",),
}


@st.composite
def rules(draw: st.DrawFn, *, kinds: dict[str, tuple[str, ...]] = KINDS, plain: bool = False) -> Rule:
    """Any rule without conditions; a `plain` one has no exclusivity, maximum or all-or-nothing."""
    own = draw(st.sampled_from([one for one in ("product", "product", "order", "shipping") if one in kinds]))
    kind = draw(st.sampled_from(kinds[own]))
    select = draw(selections) if own == "product" else None
    given = draw(_given(kind)) | _without_none(select=select)
    if kind == "buy_x_get_y" and select is not None:
        given |= _without_none(get_select=draw(selections.filter(lambda other: other != select)))
    exclusive = not plain and draw(st.integers(0, 14)) == 7
    return rule(
        kind,
        own,
        args=given,
        priority=draw(st.integers(0, 2)),
        combines_with=[] if exclusive else draw(_agreements),
        exclusive=exclusive,
        base=draw(st.sampled_from(["initial", "discounted"])),
        max_per_class=None if plain else draw(st.sampled_from([None, None, None, 1, 2])),
        all_or_nothing=not plain and draw(st.integers(0, 6)) == 3,
    )


@st.composite
def candidate_lists(draw: st.DrawFn, least: int = 0, most: int = 6, **settings: Any) -> list[Candidate]:
    return offers(*draw(st.lists(rules(**settings), min_size=least, max_size=most)))


def unit_prices(of: Basket, outcome: Outcome) -> dict[int, list[int]]:
    """By line id: what each unit costs after every discount."""
    prices = {one.line_id: [one.unit_price_minor] * one.quantity for one in of.lines}
    for applied in outcome.applied:
        for line_id, units in applied.units.items():
            for number, amount in enumerate(units):
                prices[line_id][number] -= amount
    return prices
