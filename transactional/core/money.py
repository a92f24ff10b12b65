"""Money: an integer count of a currency's minor unit and its ISO code. No float comes near it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# ISO 4217: currencies whose minor unit is not a hundredth.
_EXPONENTS = {"JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3}
_SYMBOLS = {"INR": "₹", "GBP": "£", "USD": "$", "EUR": "€"}

BASIS_POINTS = 10_000


class CurrencyMismatchError(ValueError):
    """Two amounts of different currencies met in one sum."""


def exponent(currency: str) -> int:
    """Digits after the decimal point of a currency's major unit."""
    return _EXPONENTS.get(currency, 2)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`minor` units of `currency`: Money(12345, "INR") is ₹123.45."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.minor, int) or isinstance(self.minor, bool):
            raise TypeError(f"minor units are an integer, not {type(self.minor).__name__}")
        if len(self.currency) != 3 or not self.currency.isalpha() or not self.currency.isupper():
            raise ValueError(f"{self.currency!r} is not an ISO 4217 code")

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatchError(f"{self.currency} and {other.currency} cannot meet")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def times(self, quantity: int) -> "Money":
        """The price of so many."""
        return Money(self.minor * quantity, self.currency)

    def percent(self, basis_points: int) -> "Money":
        """A share in basis points, rounded half away from zero to the minor unit."""
        return Money(percent_of(self.minor, basis_points), self.currency)

    @property
    def amount(self) -> Decimal:
        """In major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    @classmethod
    def from_amount(cls, amount: Decimal, currency: str) -> "Money":
        """From major units, rounded half away from zero once."""
        minor = amount.scaleb(exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        return cls(int(minor), currency)

    def __str__(self) -> str:
        return f"{self.currency} {self.amount:,.{exponent(self.currency)}f}"


def percent_of(minor: int, basis_points: int) -> int:
    """`basis_points` / 10,000 of an amount, rounded half away from zero."""
    share = (2 * abs(minor) * basis_points + BASIS_POINTS) // (2 * BASIS_POINTS)
    return -share if minor < 0 else share


def symbol(currency: str) -> str:
    """₹ for INR; the ISO code where a currency has no sign of its own here."""
    return _SYMBOLS.get(currency, currency)


def grouped(minor: int, currency: str) -> str:
    """Digits in groups: `12,34,567.80` in rupees, `1,234,567.80` elsewhere."""
    digits = exponent(currency)
    major, rest = divmod(abs(minor), 10**digits)
    whole = _indian_groups(major) if currency == "INR" else f"{major:,}"
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"


def amount_text(minor: int, currency: str) -> str:
    """An amount in a sentence: `₹200`, `₹1,00,000.50`, `CHF 200`. A fraction of nothing is left out."""
    sign = symbol(currency)
    figure = grouped(abs(minor), currency)
    if minor % 10 ** exponent(currency) == 0:
        figure = figure.partition(".")[0]
    return f"{'-' if minor < 0 else ''}{sign}{' ' if sign == currency else ''}{figure}"


def _indian_groups(number: int) -> str:
    """The last three digits, then groups of two."""
    text = str(number)
    head, tail = text[:-3], text[-3:]
    groups = []
    while head:
        groups.append(head[-2:])
        head = head[:-2]
    return ",".join([*reversed(groups), tail])


def contained_tax(net_minor: int, rate_bp: int) -> int:
    """The tax contained in a price: net × rate / (10,000 + rate), rounded half up to the minor unit."""
    divisor = BASIS_POINTS + rate_bp
    return (2 * net_minor * rate_bp + divisor) // (2 * divisor)


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `weights` by integer largest remainder.

    The parts sum to `total` exactly, a zero weight gets nothing, ties go to the earlier part, and no part exceeds
    its weight when `total` does not exceed their sum.

    Raises ValueError for a negative total or weight, or when something is to be split over nothing.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("only non-negative amounts can be allocated")
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("nothing to allocate to")
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def unit_share(total: int, quantity: int, first: int, count: int) -> int:
    """What units `first` … `first + count - 1` of a line bear of its `total`, by largest remainder over equal units.

    The first `total % quantity` units bear one minor unit more, so any sequence of partial returns sums to the line.
    """
    if not 0 <= first <= first + count <= quantity:
        raise ValueError(f"units {first}..{first + count} lie outside a line of {quantity}")
    base, extra = divmod(total, quantity)
    return base * count + max(0, min(extra, first + count) - first)
