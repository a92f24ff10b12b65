"""The arithmetic of tax that is contained in prices: whole minor units, nothing lost, nothing made up.

Rules. Taxable value = amount − tax. Within a state the tax is halved: where it is odd, the paisa more is the central
tax's. A part of a line that is credited takes its share of each tax by rounding half up what is left of it, and the
last part takes what is left: any sequence of credits of a whole line gives back exactly the line.
"""

from dataclasses import dataclass

from transactional.core.money import BASIS_POINTS, contained_tax
from transactional.documents.models import SupplyKind

STANDARD_RATES_BP = (0, 25, 150, 300, 500, 1_200, 1_800, 2_800, 4_000)
"""The rates that GST has known, in basis points."""


@dataclass(frozen=True, slots=True)
class Part:
    """An amount with the taxes contained in it, in minor units."""

    amount_minor: int
    cgst_minor: int = 0
    sgst_minor: int = 0
    igst_minor: int = 0

    @property
    def tax_minor(self) -> int:
        """All taxes."""
        return self.cgst_minor + self.sgst_minor + self.igst_minor

    @property
    def taxable_minor(self) -> int:
        """The value that the taxes are reckoned on."""
        return self.amount_minor - self.tax_minor

    def without(self, other: "Part") -> "Part":
        """What is left when a part is taken off."""
        return Part(
            self.amount_minor - other.amount_minor,
            self.cgst_minor - other.cgst_minor,
            self.sgst_minor - other.sgst_minor,
            self.igst_minor - other.igst_minor,
        )


def split(amount_minor: int, tax_minor: int, supply: SupplyKind) -> Part:
    """Name the tax contained in an amount: halves within a state, integrated tax otherwise."""
    if supply is SupplyKind.INTRA:
        return Part(amount_minor, cgst_minor=tax_minor - tax_minor // 2, sgst_minor=tax_minor // 2)
    return Part(amount_minor, igst_minor=tax_minor)


def portion(left: Part, amount_minor: int) -> Part:
    """Take an amount out of what is left of a line, with its share of each tax. At most all of it (ValueError)."""
    if not 0 <= amount_minor <= left.amount_minor:
        raise ValueError(f"{amount_minor} is not within what is left: {left.amount_minor}")
    if amount_minor == left.amount_minor:
        return left
    cgst = _share(left.cgst_minor, amount_minor, left.amount_minor)
    sgst = _share(left.sgst_minor, amount_minor, left.amount_minor)
    igst = _share(left.igst_minor, amount_minor, left.amount_minor)
    # Two halves that are both rounded up must not exceed an amount of very few paise.
    return Part(amount_minor, cgst, min(sgst, amount_minor - cgst), igst)


def rate_of(amount_minor: int, tax_minor: int, listed_bp: int) -> int:
    """The rate at which a frozen tax was reckoned, in basis points.

    The product's rate of today, if it gives this tax; else the standard rate that does; else tax over taxable value.
    """
    for rate in (listed_bp, *STANDARD_RATES_BP):
        if contained_tax(amount_minor, rate) == tax_minor:
            return rate
    return min(BASIS_POINTS, _share(tax_minor, BASIS_POINTS, max(1, amount_minor - tax_minor)))


def _share(total: int, weight: int, whole: int) -> int:
    """total × weight / whole, rounded half up."""
    return (2 * total * weight + whole) // (2 * whole)
