"""What a credit note says: which parts of an invoice's lines are taken back, never more than is left of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transactional.core.money import allocate
from transactional.documents.drafts import DraftLine
from transactional.documents.models import DocumentLineKind, TaxDocumentLine
from transactional.documents.tax import Part, portion

Key = tuple[int, DocumentLineKind, int | None]
"""A line of an invoice: the invoice, the line's kind, and its order line where it stands for goods."""


@dataclass(frozen=True, slots=True)
class Units:
    """Units `first` … `first + quantity - 1` of an order line, and what was given back for them."""

    order_line_id: int
    first: int
    quantity: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Credit:
    """Money given back: for units, for shipping, or for nothing but kindness."""

    amount_minor: int
    units: Sequence[Units] = ()
    services_minor: int = 0
    """The part of the amount that stands for shipping and wrapping."""


@dataclass(slots=True)
class Left:
    """An invoice's line and what credit notes have left of it."""

    line: TaxDocumentLine
    part: Part


def left_of(invoice_lines: Sequence[TaxDocumentLine]) -> dict[Key, Left]:
    """The lines of an order's invoices before any credit."""
    return {_key(line.document_id, line): Left(line, _part(line)) for line in invoice_lines}


def take_off(left: Mapping[Key, Left], invoice_id: int, credited: Sequence[TaxDocumentLine]) -> None:
    """Lower what is left of an invoice by the lines of one of its credit notes."""
    for line in credited:
        entry = left[_key(invoice_id, line)]
        entry.part = entry.part.without(_part(line))


def invoiced_units(left: Mapping[Key, Left], units: Units) -> Key | None:
    """The line of an invoice on which these units stand; None where they were given back before it was issued."""
    for key, entry in left.items():
        first = entry.line.first_unit
        if key[2] == units.order_line_id and first is not None and first <= units.first:
            return key
    return None


def credit_lines(left: Mapping[Key, Left], credit: Credit) -> dict[int, list[DraftLine]]:
    """The lines of the notes over a credit, by invoice: at most what is left, and nothing where nothing is.

    Units take what was given back for them, services theirs. If that is more or less than the amount, the difference is
    spread over what the lines have.
    """
    units = {key: unit for unit in credit.units if (key := invoiced_units(left, unit)) is not None}
    wanted = {key: unit.amount_minor for key, unit in units.items()}
    wanted |= _service_shares(left, credit.services_minor)
    amounts = _amounts({key: entry.part.amount_minor for key, entry in left.items()}, wanted, credit.amount_minor)
    notes: dict[int, list[DraftLine]] = {}
    for key, entry in left.items():
        if amounts[key] or key in units:
            notes.setdefault(key[0], []).append(_credit_line(entry, amounts[key], units.get(key)))
    return notes


def _service_shares(left: Mapping[Key, Left], amount: int) -> dict[Key, int]:
    services = {key: entry.part.amount_minor for key, entry in left.items() if key[1] is not DocumentLineKind.GOODS}
    share = allocate(min(amount, sum(services.values())), list(services.values()))
    return dict(zip(services, share, strict=True))


def _amounts(left: Mapping[Key, int], wanted: Mapping[Key, int], total: int) -> dict[Key, int]:
    """An amount for every line: as wanted, bounded by what is left, together `total` if there is so much."""
    keys = list(left)
    amounts = [min(wanted.get(key, 0), left[key]) for key in keys]
    more = total - sum(amounts)
    if more < 0:
        amounts = [amount - part for amount, part in zip(amounts, allocate(-more, amounts), strict=True)]
    else:
        room = [left[key] - amount for key, amount in zip(keys, amounts, strict=True)]
        extra = allocate(min(more, sum(room)), room)
        amounts = [amount + part for amount, part in zip(amounts, extra, strict=True)]
    return dict(zip(keys, amounts, strict=True))


def _credit_line(entry: Left, amount: int, units: Units | None) -> DraftLine:
    line = entry.line
    quantity = 0 if units is None else units.quantity
    return DraftLine(
        kind=line.kind,
        description=line.description,
        quantity=quantity,
        unit_price_minor=line.unit_price_minor,
        rate_bp=line.rate_bp,
        part=portion(entry.part, amount),
        discount_minor=max(0, line.unit_price_minor * quantity - amount),
        hsn_code=line.hsn_code,
        sku=line.sku,
        order_line_id=line.order_line_id,
        first_unit=None if units is None else units.first,
    )


def _key(invoice_id: int, line: TaxDocumentLine) -> Key:
    return invoice_id, DocumentLineKind(line.kind), line.order_line_id


def _part(line: TaxDocumentLine) -> Part:
    return Part(line.total_minor, line.cgst_minor, line.sgst_minor, line.igst_minor)
