"""A document as it is printed: every text and figure in its final form, from the frozen rows alone."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from transactional.core.money import grouped, symbol
from transactional.documents.models import (
    DocumentKind,
    DocumentLineKind,
    SupplyKind,
    TaxDocument,
    TaxDocumentLine,
)
from transactional.documents.states import ABROAD, STATES, state_name
from transactional.documents.words import amount_in_words

_INDIAN_TIME = ZoneInfo("Asia/Kolkata")
_SUPPLY = {
    SupplyKind.INTRA: "Intra-state",
    SupplyKind.INTER: "Inter-state",
    SupplyKind.EXPORT: "Export",
}
_PAYMENT = {"online": "Online", "on_delivery": "On delivery"}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that force a direction upon the text around them."""
_LONG_WORD = re.compile(r"[!-~]{18}(?=[!-~])")
_NOT_REGISTERED = "The seller has no GSTIN: this is not a tax invoice, and its taxes cannot be claimed as input credit."
_ELECTRONIC = "Issued electronically; valid without signature (GST Rules 2017, rule 46)."


def printed(document: TaxDocument, lines: Sequence[TaxDocumentLine]) -> dict[str, Any]:
    """What the template lays out: strings, and lists and dictionaries of strings."""
    money = _Money(document.currency)
    sheet = {
        "title": _title(document),
        "kind": document.kind.value,
        "number": document.number,
        "issued": _day(document.issued_at),
        "facts": _facts(document),
        "seller": document.seller,
        "buyer": document.buyer | {"country": _country(document.buyer)},
        "currency": symbol(document.currency),
        "lines": [_line(line, money) for line in lines],
        "discounted": any(line.discount_minor for line in lines),
        "taxes": [label for label, _, _ in _taxes(document, document)],
        "summary": _summary(document, lines, money),
        "totals": [["Taxable value", money(document.taxable_minor)]]
        + [[label, money(amount)] for label, amount, _ in _taxes(document, document)],
        "total": money(document.total_minor),
        "total_label": "Credited" if document.kind is DocumentKind.CREDIT_NOTE else "Total",
        "words": amount_in_words(document.total_minor, document.currency),
        "notes": _notes(document),
        "footer": document.seller.get("footer") or "",
    }
    return {name: _printable(value) for name, value in sheet.items()}


def _printable(value: Any) -> Any:
    """Texts without characters that turn or break others, and with places where a very long word may break."""
    if isinstance(value, str):
        return _LONG_WORD.sub(lambda word: f"{word[0]}\u200b", _CONTROLS.sub(" ", value))
    if isinstance(value, dict):
        return {key: _printable(inner) for key, inner in value.items()}
    return [_printable(inner) for inner in value] if isinstance(value, list) else value


class _Money:
    """Amounts of one currency with grouped digits; the symbol stands where a sum does."""

    def __init__(self, currency: str) -> None:
        self._currency = currency

    def __call__(self, minor: int) -> str:
        return grouped(minor, self._currency)


def _country(buyer: Mapping[str, Any]) -> str:
    """As the customer wrote it; the code of the shop's own country is spelt out."""
    country = str(buyer.get("country") or "")
    return "India" if country == "IN" else country


def _title(document: TaxDocument) -> str:
    if document.kind is DocumentKind.CREDIT_NOTE:
        return "Credit note"
    return "Tax invoice" if document.seller.get("gstin") else "Invoice"


def _facts(document: TaxDocument) -> list[list[str]]:
    """Label and text of what stands beside the addresses."""
    details = document.details
    place = state_name(document.place_of_supply)
    facts = [
        ["Number", document.number],
        ["Date", _day(document.issued_at)],
        ["Order", f"{details.get('order_number', '')}"],
        ["Ordered", _day(datetime.fromisoformat(details["placed_at"]))],
        ["Place of supply", f"{place} ({document.place_of_supply})"],
        ["Supply", _SUPPLY[document.supply_kind]],
        ["Reverse charge", "No"],
    ]
    if payment := _PAYMENT.get(str(details.get("payment_mode"))):
        facts.append(["Payment", payment])
    if document.kind is DocumentKind.CREDIT_NOTE:
        facts[2:2] = [
            ["For invoice", str(details["invoice_number"])],
            ["Invoice date", _day(datetime.fromisoformat(details["invoice_issued_at"]))],
        ]
        if document.reason:
            facts.append(["Reason", document.reason])
    return facts


def _line(line: TaxDocumentLine, money: _Money) -> dict[str, str]:
    lowered = line.kind is DocumentLineKind.GOODS and line.quantity == 0
    return {
        "position": str(line.position),
        "description": line.description,
        "detail": line.sku or "",
        "remark": "price lowered" if lowered else "",
        "hsn": line.hsn_code or "–",
        "quantity": "–" if lowered or line.quantity == 0 else str(line.quantity),
        "unit_price": "–" if lowered else money(line.unit_price_minor),
        "discount": money(line.discount_minor) if line.discount_minor else "–",
        "taxable": money(line.taxable_minor),
        "rate": percent(line.rate_bp),
        "tax": money(line.cgst_minor + line.sgst_minor + line.igst_minor),
        "total": money(line.total_minor),
    }


def _taxes(document: TaxDocument, row: TaxDocument | TaxDocumentLine) -> list[tuple[str, int, int]]:
    """Label, amount and share of the rate (halves of it) of each tax that the document's supply bears."""
    if document.supply_kind is SupplyKind.INTRA:
        union = STATES.get(document.place_of_supply)
        state_tax = "UTGST" if union is not None and union.union_tax else "SGST"
        return [("CGST", row.cgst_minor, 1), (state_tax, row.sgst_minor, 1)]
    return [("IGST", row.igst_minor, 2)]


def _summary(document: TaxDocument, lines: Sequence[TaxDocumentLine], money: _Money) -> list[dict[str, Any]]:
    """Taxable value and taxes by HSN and rate, in the order in which they appear."""
    groups: dict[tuple[str, int], list[TaxDocumentLine]] = {}
    for line in lines:
        groups.setdefault((line.hsn_code or "–", line.rate_bp), []).append(line)
    return [
        {
            "hsn": hsn,
            "rate": percent(rate_bp),
            "taxable": money(sum(line.taxable_minor for line in group)),
            "taxes": [
                [percent_of_halves(rate_bp, halves), money(sum(_taxes(document, line)[i][1] for line in group))]
                for i, (_, _, halves) in enumerate(_taxes(document, group[0]))
            ],
            "total": money(sum(line.total_minor - line.taxable_minor for line in group)),
        }
        for (hsn, rate_bp), group in groups.items()
    ]


def _notes(document: TaxDocument) -> list[str]:
    notes = list(document.notes)
    if document.place_of_supply == ABROAD and document.kind is DocumentKind.CREDIT_NOTE:
        notes.append("The invoice was for an export.")
    if not document.seller.get("gstin"):
        notes.append(_NOT_REGISTERED)
    return [*notes, _ELECTRONIC]


def percent(rate_bp: int) -> str:
    """Basis points as a percentage without needless zeros: 1800 is `18%`, 25 is `0.25%`."""
    return percent_of_halves(rate_bp, 2)


def percent_of_halves(rate_bp: int, halves: int) -> str:
    """So many halves of a rate: one half of 1800 is `9%`."""
    return f"{rate_bp * halves / 200:.3f}".rstrip("0").rstrip(".") + "%"


def _day(moment: datetime) -> str:
    """`5 April 2026`, by Indian time; month names do not depend on the machine's language."""
    local = moment.astimezone(_INDIAN_TIME)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
