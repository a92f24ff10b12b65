"""Returns find their purchases, and units and money are never lost or doubled."""
# ruff: noqa: DTZ001  the times of a file are a wall clock's and carry no zone

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from transactional.importing.matching import Purchase, ReturnPart, ReturnRow, match_returns

DAY = datetime(2010, 1, 1)


def bought(line: int, day: int, units: int, price: int, *, customer: str = "13085", code: str = "A") -> Purchase:
    return Purchase(
        order_line_id=line,
        order_id=100 + line,
        customer=customer,
        code=code,
        placed_at=DAY + timedelta(days=day),
        price_micros=price * 10_000,
        returnable=units,
        refundable_minor=units * price,
    )


def returned(day: int, units: int, price: int, *, row: int = 1, customer: str | None = "13085") -> ReturnRow:
    return ReturnRow(
        row=row,
        invoice=f"C{row}",
        customer=customer,
        code="A",
        moment=DAY + timedelta(days=day),
        price_micros=price * 10_000,
        units=units,
        amount_minor=units * price,
    )


def summary(parts: list[ReturnPart]) -> list[tuple[int | None, int, int]]:
    return [(part.purchase.order_line_id if part.purchase else None, part.units, part.amount_minor) for part in parts]


def test_the_latest_earlier_purchase_at_the_same_price_comes_first() -> None:
    purchases = [bought(1, 0, 5, 300), bought(2, 5, 5, 300), bought(3, 6, 5, 400), bought(4, 20, 5, 300)]
    assert summary(match_returns([returned(10, 7, 300)], purchases)) == [(2, 5, 1500), (1, 2, 600)]


def test_other_prices_serve_when_the_same_price_does_not_suffice() -> None:
    purchases = [bought(1, 0, 2, 300), bought(2, 5, 5, 400)]
    assert summary(match_returns([returned(10, 4, 300)], purchases)) == [(1, 2, 600), (2, 2, 600)]


def test_a_purchase_never_gives_back_more_money_than_it_brought() -> None:
    assert summary(match_returns([returned(10, 2, 500)], [bought(1, 0, 2, 300)])) == [(1, 1, 500), (None, 1, 500)]


def test_no_purchase_no_customer_or_only_a_later_one_stands_alone() -> None:
    assert summary(match_returns([returned(1, 2, 300)], [])) == [(None, 2, 600)]
    assert summary(match_returns([returned(1, 2, 300, customer=None)], [bought(1, 0, 2, 300)])) == [(None, 2, 600)]
    assert summary(match_returns([returned(1, 2, 300)], [bought(1, 2, 2, 300)])) == [(None, 2, 600)]
    others = [bought(1, 0, 2, 300, customer="1"), bought(2, 0, 2, 300, code="B")]
    assert summary(match_returns([returned(1, 2, 300)], others)) == [(None, 2, 600)]


def test_two_returns_share_one_purchase_in_the_order_of_time() -> None:
    later, earlier = returned(9, 2, 300, row=1), returned(5, 2, 300, row=2)
    assert summary(match_returns([later, earlier], [bought(1, 0, 3, 300)])) == [
        (1, 2, 600),
        (1, 1, 300),
        (None, 1, 300),
    ]


_units, _price, _day = st.integers(1, 12), st.integers(0, 900), st.integers(0, 9)


@given(
    st.lists(st.tuples(_day, _units, _price), max_size=6),
    st.lists(st.tuples(_day, _units, _price), max_size=6),
)
def test_parts_sum_to_their_rows_and_stay_within_their_purchases(
    sales: list[tuple[int, int, int]], backs: list[tuple[int, int, int]]
) -> None:
    purchases = [bought(i, *sale) for i, sale in enumerate(sales)]
    had = {p.order_line_id: (p.returnable, p.refundable_minor) for p in purchases}
    rows = [returned(*back, row=i) for i, back in enumerate(backs)]
    parts = match_returns(rows, purchases)
    for row in rows:
        own = [part for part in parts if part.row is row]
        assert sum(part.units for part in own) == row.units
        assert sum(part.amount_minor for part in own) == row.amount_minor
    for purchase in purchases:
        own = [part for part in parts if part.purchase is purchase]
        units, minor = had[purchase.order_line_id]
        assert sum(part.units for part in own) == units - purchase.returnable <= units
        assert sum(part.amount_minor for part in own) == minor - purchase.refundable_minor <= minor
