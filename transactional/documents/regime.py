"""What differs from country to country: where a supply counts as made, which taxes it bears, what must be printed.

The shop's own country decides. India's rules are the only ones known so far; another country is another class here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from transactional.core.errors import InvalidInput
from transactional.core.gstin import checked_gstin
from transactional.documents.models import SupplyKind
from transactional.documents.states import ABROAD, STATES, is_domestic, place_of_supply

_FIRST_MONTH_OF_FINANCIAL_YEAR = 4
_INDIAN_TIME = ZoneInfo("Asia/Kolkata")


@dataclass(frozen=True, slots=True)
class Supply:
    """Where goods go and which taxes that means."""

    place: str
    """A code of the tax office: of a state, or of any other country."""
    kind: SupplyKind
    zero_rated: bool = False
    """No tax is reckoned, whatever the goods' rate."""
    notes: tuple[str, ...] = ()
    """Sentences that the law wants on the document."""


class TaxRegime(Protocol):
    """A country's rules."""

    def fiscal_year(self, moment: datetime) -> int:
        """The year in which the financial year of a moment began."""
        ...

    def supply(self, *, seller_state: str, ship_to: Mapping[str, Any], place: str | None) -> Supply:
        """The supply that a delivery is; `place` is what staff have decided. Raises InvalidInput if it is unknown."""
        ...


@dataclass(frozen=True, slots=True)
class IndianGst:
    """Goods and services tax.

    Place of supply: where the goods are delivered (IGST Act, sections 10(1)(a) and 10(1)(ca)); for a registered
    business the state of its GSTIN, also when it has a gift sent elsewhere (section 10(1)(b)). Export: zero-rated under
    a letter of undertaking, or with integrated tax that is claimed back (section 16). Financial year: April to March.
    """

    export_with_tax: bool = False
    letter_of_undertaking: str | None = None

    def fiscal_year(self, moment: datetime) -> int:
        """By Indian time, whatever clock the shop goes by."""
        local = moment.astimezone(_INDIAN_TIME)
        return local.year if local.month >= _FIRST_MONTH_OF_FINANCIAL_YEAR else local.year - 1

    def supply(self, *, seller_state: str, ship_to: Mapping[str, Any], place: str | None) -> Supply:
        """Intra-state, inter-state or export. Raises PlaceOfSupplyUnknown."""
        code = place or _place(ship_to)
        if code == ABROAD:
            return self._export()
        return Supply(code, SupplyKind.INTRA if code == seller_state else SupplyKind.INTER)

    def _export(self) -> Supply:
        if self.export_with_tax:
            note = "Supply meant for export on payment of integrated tax"
            return Supply(ABROAD, SupplyKind.EXPORT, notes=(note,))
        note = "Supply meant for export under bond or letter of undertaking without payment of integrated tax"
        if self.letter_of_undertaking:
            note += f" (LUT {self.letter_of_undertaking})"
        return Supply(ABROAD, SupplyKind.EXPORT, zero_rated=True, notes=(note,))


def gstin_of(address: Mapping[str, Any]) -> str | None:
    """The GSTIN of a business, where the address has one that is true; a mistyped one is not put on paper."""
    try:
        return checked_gstin(str(address.get("gstin") or ""))
    except ValueError:
        return None


def _place(ship_to: Mapping[str, Any]) -> str:
    gstin = gstin_of(ship_to)
    if gstin is not None and gstin[:2] in STATES and is_domestic(ship_to.get("country")):
        return gstin[:2]
    return place_of_supply(
        state=ship_to.get("state"), postal_code=ship_to.get("postal_code"), country=ship_to.get("country")
    )


def regime_of(country: str, *, export_with_tax: bool, letter_of_undertaking: str | None) -> TaxRegime:
    """The rules of a seller's country. Raises InvalidInput for one whose rules nobody has written down."""
    if not is_domestic(country):
        raise InvalidInput(f"tax documents are known for sellers in India (IN), not in {country!r}", field="country")
    return IndianGst(export_with_tax=export_with_tax, letter_of_undertaking=letter_of_undertaking)
