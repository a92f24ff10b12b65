"""What an invoice says: every unit of an order that is kept and on no invoice yet, with shipping and wrapping.

One invoice covers the whole order when its first parcel leaves (CGST Act, section 31; Rule 55(5): goods that travel in
lots are invoiced before the first). A second one follows only for what a later exchange adds.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from transactional.catalog import service as catalog
from transactional.core.money import allocate, contained_tax, unit_share
from transactional.documents.drafts import DraftLine
from transactional.documents.models import DocumentLineKind, SupplyKind
from transactional.documents.regime import Supply
from transactional.documents.tax import Part, rate_of, split
from transactional.orders import service as orders
from transactional.settings import Settings


def invoice_lines(
    session: Session,
    order: orders.Order,
    lines: Sequence[orders.OrderLine],
    *,
    supply: Supply,
    charged: Mapping[DocumentLineKind, int],
    total_minor: int,
    settings: Settings,
) -> list[DraftLine]:
    """The lines of an invoice over `lines` and the service charges in `charged`, summing to `total_minor`.

    Amounts and taxes are the order's frozen ones. Where the total is not their sum (a part of the coupon was withheld,
    shipping was given back before anything left), the difference is spread over the lines and their tax follows.
    """
    natural = [*_goods(session, order, lines), *_services(charged, settings)]
    amounts = _spread([line.part.amount_minor for line in natural], total_minor)
    return [_taxed(line, amount, supply) for line, amount in zip(natural, amounts, strict=True)]


def _goods(session: Session, order: orders.Order, lines: Sequence[orders.OrderLine]) -> list[DraftLine]:
    products = catalog.products_by_id(session, {line.product_id for line in lines})
    return [_goods_line(order, line, products[line.product_id]) for line in lines]


def _goods_line(order: orders.Order, line: orders.OrderLine, product: catalog.Product) -> DraftLine:
    whole = line.net_minor if order.tax_included else line.net_minor + line.tax_minor
    first = line.given_back_quantity
    count = line.quantity - first
    amount = unit_share(whole, line.quantity, first, count)
    rate_bp = rate_of(whole, line.tax_minor, product.tax_rate_bp)
    unit_price = line.unit_price_minor
    if not order.tax_included:
        unit_price = -(-whole // line.quantity)
    return DraftLine(
        kind=DocumentLineKind.GOODS,
        description=line.title,
        quantity=count,
        unit_price_minor=unit_price,
        rate_bp=rate_bp,
        part=Part(amount, igst_minor=unit_share(line.tax_minor, line.quantity, first, count)),
        hsn_code=product.hsn_code,
        sku=line.sku,
        order_line_id=line.id,
        first_unit=first,
    )


def _services(charged: Mapping[DocumentLineKind, int], settings: Settings) -> list[DraftLine]:
    known = (
        (DocumentLineKind.SHIPPING, "Shipping", settings.shipping_sac, settings.shipping_tax_bp),
        (DocumentLineKind.WRAP, "Gift wrapping", settings.wrap_sac, settings.wrap_tax_bp),
    )
    return [
        DraftLine(
            kind=kind,
            description=name,
            quantity=1,
            unit_price_minor=charged[kind],
            rate_bp=rate_bp,
            part=Part(charged[kind], igst_minor=contained_tax(charged[kind], rate_bp)),
            hsn_code=sac,
        )
        for kind, name, sac, rate_bp in known
        if charged.get(kind)
    ]


def _spread(amounts: list[int], total: int) -> list[int]:
    """Change the amounts in proportion so that they sum to the total; never below zero, nothing onto a zero line."""
    more = total - sum(amounts)
    if more == 0 or not any(amounts):
        return amounts
    if more > 0:
        return [amount + part for amount, part in zip(amounts, allocate(more, amounts), strict=True)]
    less = allocate(min(-more, sum(amounts)), amounts)
    return [amount - part for amount, part in zip(amounts, less, strict=True)]


def _taxed(line: DraftLine, amount: int, supply: Supply) -> DraftLine:
    """The line at its amount, its tax named as the supply demands."""
    tax = line.part.tax_minor if amount == line.part.amount_minor else contained_tax(amount, line.rate_bp)
    if supply.zero_rated:
        tax = 0
    return DraftLine(
        kind=line.kind,
        description=line.description,
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        rate_bp=0 if supply.zero_rated else line.rate_bp,
        part=split(amount, tax, SupplyKind(supply.kind)),
        discount_minor=max(0, line.unit_price_minor * line.quantity - amount),
        hsn_code=line.hsn_code,
        sku=line.sku,
        order_line_id=line.order_line_id,
        first_unit=line.first_unit,
    )
