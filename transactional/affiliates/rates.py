"""What a unit earns: the nearest rate of a version, on the unit's frozen net price, rounded down. No database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transactional.core.money import BASIS_POINTS, unit_share


@dataclass(frozen=True, slots=True)
class RateRow:
    """A rate for an affiliate, a category, or both."""

    rate_bp: int
    affiliate_id: int | None = None
    category_id: int | None = None


@dataclass(frozen=True, slots=True)
class RateCard:
    """The rates of one version of a programme."""

    version_id: int
    base_bp: int
    rows: Sequence[RateRow] = ()

    def rate_for(self, *, affiliate_id: int, category_path: Sequence[int]) -> int:
        """The rate in basis points for a product whose categories are `category_path`, the nearest first.

        The affiliate's own rates come before those for everybody; among them the nearest category, then none.
        """
        nearness: Mapping[int | None, int] = {None: len(category_path)} | {
            category_id: i for i, category_id in reversed(list(enumerate(category_path)))
        }
        found = [
            (row.affiliate_id is None, nearness[row.category_id], row.rate_bp)
            for row in self.rows
            if row.affiliate_id in (None, affiliate_id) and row.category_id in nearness
        ]
        return min(found)[2] if found else self.base_bp


def units_commission(*, net_minor: int, quantity: int, rate_bp: int, first: int, count: int) -> int:
    """The commission of units `first` … `first + count - 1` of a line, each rounded down on its own net price.

    A line's units have at most two different prices (`core.money.unit_share`), the dearer ones first.
    """
    unit_share(net_minor, quantity, first, count)  # refuses units that the line does not have
    base, dearer = divmod(net_minor, quantity)
    of_dearer = max(0, min(dearer, first + count) - min(dearer, first))
    return of_dearer * _share(base + 1, rate_bp) + (count - of_dearer) * _share(base, rate_bp)


def category_path(parents: Mapping[int, int | None], category_id: int) -> list[int]:
    """A category and all above it, the nearest first. `parents`: category → parent."""
    path: list[int] = []
    current: int | None = category_id
    while current is not None and current not in path:
        path.append(current)
        current = parents.get(current)
    return path


def _share(net_minor: int, rate_bp: int) -> int:
    return net_minor * rate_bp // BASIS_POINTS
