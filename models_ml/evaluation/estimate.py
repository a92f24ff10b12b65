"""A measured figure with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of one model.

    `low` and `high` bound the 95 % interval (None where none is defined), `n` is the number of units
    (customers, baskets) that it was measured on, `slice` says which part of them ("all", "new_items", ...),
    and `model` whose figure it is where several are compared (empty: the trained model's own).
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    slice: str = "all"
    model: str = ""

    def of(self, model: str) -> Metric:
        """The same figure, marked as this model's."""
        return replace(self, model=model)
