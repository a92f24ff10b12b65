"""What must hold for an offer to apply. Each condition is a registered plug-in with typed arguments.

Conditions look at the basket as it stands, before any discount, so whether an offer may apply does not depend on the
other offers, and a fuller basket never fails a threshold that it met before.
"""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from transactional.core.money import amount_text
from transactional.promotions.engine.facts import Moment
from transactional.promotions.engine.outcome import Missing
from transactional.promotions.engine.plugins import Plugin, Register
from transactional.promotions.engine.selection import Ids, Selection, Shelves

Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a condition does not hold. `reachable`: more goods or an address would meet it."""

    reason: str
    detail: str
    missing: Missing = field(default_factory=dict)
    reachable: bool = False


class Condition(Plugin):
    """A condition says what is missing."""

    @abstractmethod
    def failure(self, moment: Moment, shelves: Shelves) -> Failure | None:
        """None where the condition holds."""


CONDITIONS: Register[Condition] = Register("condition")


@CONDITIONS.add
class Period(Condition):
    """From `starts_at` on, until just before `ends_at`."""

    kind: ClassVar[str] = "period"

    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError("a period ends after it starts")
        return self

    def failure(self, moment: Moment, shelves: Shelves) -> Failure | None:  # noqa: ARG002
        """Not yet, or no longer."""
        if self.starts_at and moment.now < self.starts_at:
            return Failure(self.kind, f"starts on {self.starts_at:%-d %B %Y at %H:%M %Z}")
        if self.ends_at and moment.now >= self.ends_at:
            return Failure(self.kind, f"ended on {self.ends_at:%-d %B %Y at %H:%M %Z}")
        return None


@CONDITIONS.add
class Channel(Condition):
    """Sold through one of these channels."""

    kind: ClassVar[str] = "channel"

    channels: frozenset[Name] = Field(min_length=1, max_length=50)

    def failure(self, moment: Moment, shelves: Shelves) -> Failure | None:  # noqa: ARG002
        """Bought elsewhere."""
        if moment.basket.channel in self.channels:
            return None
        return Failure(self.kind, f"only on {', '.join(sorted(self.channels))}")


@CONDITIONS.add
class DeliveredTo(Condition):
    """The parcel goes to one of these countries (ISO 3166-1 alpha-2)."""

    kind: ClassVar[str] = "country"

    countries: frozenset[Country] = Field(min_length=1, max_length=250)

    def failure(self, moment: Moment, shelves: Shelves) -> Failure | None:  # noqa: ARG002
        """Elsewhere, or not known yet."""
        country = moment.basket.country
        if country in self.countries:
            return None
        where = ", ".join(sorted(self.countries))
        return Failure(self.kind, f"only for parcels to {where}", reachable=country is None)


@CONDITIONS.add
class MinSpend(Condition):
    """The selected goods cost at least so much before every discount."""

    kind: ClassVar[str] = "min_spend"

    amount_minor: int = Field(ge=1, le=10**15)
    select: Selection = Selection()

    def failure(self, moment: Moment, shelves: Shelves) -> Failure | None:
        """How much is missing."""
        gap = self.amount_minor - shelves.spend_minor(self.select)
        if gap <= 0:
            return None
        goods = "" if self.select.everything else " of the goods it is for"
        detail = f"{amount_text(gap, moment.basket.currency)} more{goods}"
        return Failure(self.kind, detail, {"spend_minor": gap}, reachable=True)


@CONDITIONS.add
class MinQuantity(Condition):
    """The basket holds at least so many of the selected units."""

    kind: ClassVar[str] = "min_quantity"

    quantity: int = Field(ge=1, le=100_000)
    select: Selection = Selection()

    def failure(self, moment: Moment, shelves: Shelves) -> Failure | None:  # noqa: ARG002
        """How many are missing."""
        gap = self.quantity - shelves.quantity(self.select)
        if gap <= 0:
            return None
        goods = "" if self.select.everything else " of the goods it is for"
        return Failure(self.kind, f"{gap} more{goods}", {"quantity": gap}, reachable=True)


@CONDITIONS.add
class HasCategory(Condition):
    """The basket holds something of one of these categories."""

    kind: ClassVar[str] = "categories"

    category_ids: Ids = Field(min_length=1, max_length=1_000)

    def failure(self, moment: Moment, shelves: Shelves) -> Failure | None:  # noqa: ARG002
        """Nothing of them."""
        if shelves.find(Selection.model_construct(product_ids=frozenset(), category_ids=self.category_ids)):
            return None
        return Failure(self.kind, "nothing of its categories is in the basket", {"quantity": 1}, reachable=True)


@CONDITIONS.add
class HasProduct(Condition):
    """The basket holds one of these products."""

    kind: ClassVar[str] = "products"

    product_ids: Ids = Field(min_length=1, max_length=1_000)

    def failure(self, moment: Moment, shelves: Shelves) -> Failure | None:  # noqa: ARG002
        """None of them."""
        if shelves.find(Selection.model_construct(product_ids=self.product_ids, category_ids=frozenset())):
            return None
        return Failure(self.kind, "none of its products is in the basket", {"quantity": 1}, reachable=True)


@CONDITIONS.add
class CustomerGroups(Condition):
    """The shopper belongs to one of these groups or segments."""

    kind: ClassVar[str] = "customer_groups"

    groups: frozenset[Name] = Field(min_length=1, max_length=200)

    def failure(self, moment: Moment, shelves: Shelves) -> Failure | None:  # noqa: ARG002
        """Groups are not named to outsiders: a segment's name may be private."""
        if not self.groups.isdisjoint(moment.shopper.groups):
            return None
        return Failure(self.kind, "only for members of certain customer groups")


@CONDITIONS.add
class FirstOrder(Condition):
    """The shopper has not ordered before."""

    kind: ClassVar[str] = "first_order"

    def failure(self, moment: Moment, shelves: Shelves) -> Failure | None:  # noqa: ARG002
        """They have."""
        return None if moment.shopper.is_first_order else Failure(self.kind, "only for a first order")


@CONDITIONS.add
class StaffOnly(Condition):
    """The shopper works here."""

    kind: ClassVar[str] = "staff_only"

    def failure(self, moment: Moment, shelves: Shelves) -> Failure | None:  # noqa: ARG002
        """They do not."""
        return None if moment.shopper.is_staff else Failure(self.kind, "only for the shop's own people")
