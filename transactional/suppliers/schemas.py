"""Suppliers over the wire. Costs are in minor units, quantities in the shop's own units."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from transactional.suppliers.models import Supplier, SupplierFeed, SupplierProduct, SupplierStock
from transactional.suppliers.performance import Performance

MOST = 1_000_000
_ITEMS = 20_000

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Units = Annotated[int, Field(ge=0, le=MOST)]


class In(BaseModel):
    """A request's body: nothing that is not known."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Row(BaseModel):
    """An answer that is made of a row."""

    model_config = ConfigDict(from_attributes=True)


class SupplierPatch(In):
    """What changes of a supplier; absent fields stay."""

    name: str = Field(default="", min_length=1, max_length=200, examples=["Channapatna Toys"])
    email: str | None = Field(
        default=None, max_length=320, pattern=r"^[^@\s]+@[^@\s]+$", examples=["orders@toys.example"]
    )
    phone: str | None = Field(default=None, max_length=32, examples=["+918012345678"])
    over_delivery_bp: int = Field(
        default=0, ge=0, le=10_000, description="Taken beyond the order, in basis points of it", examples=[500]
    )
    is_active: bool = Field(default=True, examples=[True])


class SupplierIn(SupplierPatch):
    """A new supplier."""

    code: str = Field(min_length=1, max_length=32, examples=["TOYS"])
    name: str = Field(min_length=1, max_length=200, examples=["Channapatna Toys"])


class SupplierOut(Row):
    """Somebody the shop buys from."""

    id: int = Field(examples=[3])
    code: str = Field(examples=["TOYS"])
    name: str = Field(examples=["Channapatna Toys"])
    email: str | None = Field(examples=["orders@toys.example"])
    phone: str | None = Field(examples=["+918012345678"])
    over_delivery_bp: int = Field(examples=[500])
    is_active: bool = Field(examples=[True])

    @classmethod
    def of(cls, supplier: Supplier) -> "SupplierOut":
        """From the row."""
        return cls.model_validate(supplier)


class TermsPatch(In):
    """What changes of an article's terms; absent fields stay. Placed orders keep theirs."""

    pack_size: int = Field(default=1, ge=1, le=MOST, description="Only whole packs are sold", examples=[12])
    minimum_quantity: int = Field(default=1, ge=1, le=MOST, examples=[24])
    cost_minor: int = Field(default=0, ge=0, le=10**12, description="Of one unit", examples=[18_500])
    currency: str = Field(default="INR", pattern=r"^[A-Z]{3}$", examples=["INR"])
    lead_time_days: int = Field(default=0, ge=0, le=730, examples=[14])
    is_preferred: bool = Field(default=False, examples=[True])
    is_active: bool = Field(default=True, examples=[True])


class SupplierProductIn(TermsPatch):
    """An article that stands for one variant of the shop."""

    supplier_sku: str = Field(min_length=1, max_length=64, examples=["CT-0042"])
    variant_id: Id = Field(examples=[7])
    cost_minor: int = Field(ge=0, le=10**12, description="Of one unit", examples=[18_500])
    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["INR"])
    lead_time_days: int = Field(ge=0, le=730, examples=[14])


class SupplierProductOut(Row):
    """A supplier's article."""

    id: int = Field(examples=[9])
    supplier_id: int = Field(examples=[3])
    supplier_sku: str = Field(examples=["CT-0042"])
    variant_id: int = Field(examples=[7])
    pack_size: int = Field(examples=[12])
    minimum_quantity: int = Field(examples=[24])
    cost_minor: int = Field(examples=[18_500])
    currency: str = Field(examples=["INR"])
    lead_time_days: int = Field(examples=[14])
    is_preferred: bool = Field(examples=[True])
    is_active: bool = Field(examples=[True])

    @classmethod
    def of(cls, product: SupplierProduct) -> "SupplierProductOut":
        """From the row."""
        return cls.model_validate(product)


class SupplierStockOut(BaseModel):
    """What a supplier last said to have of an article."""

    supplier_product_id: int = Field(examples=[9])
    supplier_sku: str = Field(examples=["CT-0042"])
    variant_id: int = Field(examples=[7])
    quantity: int = Field(examples=[360])
    as_of: datetime = Field(description="The supplier's time", examples=["2026-01-15T06:00:00Z"])

    @classmethod
    def of(cls, product: SupplierProduct, stock: SupplierStock) -> "SupplierStockOut":
        """From the rows."""
        return cls(
            supplier_product_id=product.id,
            supplier_sku=product.supplier_sku,
            variant_id=product.variant_id,
            quantity=stock.quantity,
            as_of=stock.as_of,
        )


class FeedItemIn(In):
    """What a supplier says to have of an article."""

    supplier_sku: str = Field(min_length=1, max_length=64, examples=["CT-0042"])
    quantity: int = Field(ge=0, le=999_999_999, examples=[360])


class FeedIn(In):
    """A stock feed."""

    as_of: AwareDatetime = Field(description="The supplier's time of all figures", examples=["2026-01-15T06:00:00Z"])
    items: list[FeedItemIn] = Field(min_length=1, max_length=_ITEMS)


class FeedOut(Row):
    """What became of a feed."""

    id: int = Field(examples=[5])
    supplier_id: int = Field(examples=[3])
    items: int = Field(examples=[210])
    applied: int = Field(description="Newer than what was known", examples=[180])
    outdated: int = Field(description="Not newer, left as it was", examples=[20])
    unknown: int = Field(description="Not bought by the shop", examples=[10])
    imported_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])

    @classmethod
    def of(cls, feed: SupplierFeed) -> "FeedOut":
        """From the row."""
        return cls.model_validate(feed)


class PerformanceOut(Row):
    """How a supplier keeps its word, over orders that are complete or closed."""

    orders: int = Field(examples=[8])
    on_time: int = Field(examples=[7])
    lead_time_days: float | None = Field(description="Mean from placement to completion", examples=[12.5])
    lead_time_deviation_days: float | None = Field(description="Standard deviation", examples=[1.8])
    ordered: int = Field(examples=[960])
    received: int = Field(examples=[948])
    damaged: int = Field(examples=[8])
    short: int = Field(examples=[4])

    @classmethod
    def of(cls, found: Performance) -> "PerformanceOut":
        """From the figures."""
        return cls.model_validate(found)
