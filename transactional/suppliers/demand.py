"""How much to buy: the formulas of the reorder suggestion, pure and exact to the unit.

Source: Silver, Pyke and Thomas, *Inventory and Production Management in Supply Chains* (4th ed., 2017), chapter 6, the
order-point system with a given probability of no stock-out in a replenishment cycle (service measure P1): reorder point
= expected demand over the lead time + safety stock, safety stock = z · σ_L, with z the standard normal quantile of the
service level. The days' demands are taken as independent, so σ_L = σ · √L for a lead time of L days; σ is the sample
standard deviation (n - 1) of a day's demand over the days observed, those without a sale included.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, sqrt
from statistics import NormalDist

_BASIS_POINTS = 10_000
# A figure that is a whole number but for the last bits of a float is that number.
_NOISE = 1e-9


@dataclass(frozen=True, slots=True)
class Demand:
    """What was sold in so many whole days, kept in integers so that it can be stored and told again exactly."""

    days: int
    units: int
    squares: int
    """Σ of the squares of each day's units."""

    @classmethod
    def of(cls, daily_units: Iterable[int], *, days: int) -> "Demand":
        """From the units of the days that had sales."""
        sold = list(daily_units)
        return cls(days=days, units=sum(sold), squares=sum(units * units for units in sold))

    @property
    def variance(self) -> Fraction:
        """Sample variance of a day's demand; 0 where fewer than two days were seen."""
        if self.days < 2:
            return Fraction(0)
        return (self.squares - Fraction(self.units * self.units, self.days)) / (self.days - 1)

    def over(self, lead_time_days: int) -> Fraction:
        """Expected demand during the lead time; 0 where no day was seen."""
        return Fraction(self.units * lead_time_days, self.days) if self.days else Fraction(0)


def service_factor(service_level_bp: int) -> float:
    """z: so many standard deviations cover the demand of this share (basis points) of the lead times."""
    return NormalDist().inv_cdf(service_level_bp / _BASIS_POINTS)


def safety_stock(demand: Demand, *, lead_time_days: int, service_level_bp: int) -> float:
    """z · σ · √L units; never below 0, also for a service level under one half."""
    return max(0.0, service_factor(service_level_bp) * sqrt(demand.variance * lead_time_days))


def units_up(quantity: Fraction | float) -> int:
    """The next whole number of units."""
    return ceil(float(quantity) - _NOISE)


def orderable(needed: int, *, pack_size: int, minimum_quantity: int) -> int:
    """What must be ordered to have `needed` units: at least the minimum, in whole packs; 0 where nothing is needed."""
    if needed <= 0:
        return 0
    return -(-max(needed, minimum_quantity) // pack_size) * pack_size
