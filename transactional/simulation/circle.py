"""Who brings whom: partners with their links and codes, the visitors who came by them, customers who invite others."""

from dataclasses import dataclass, field

from transactional.simulation.shoppers import Shopper


@dataclass(frozen=True, slots=True)
class Partner:
    """A shopper who is an affiliate, with the code and the link that they spread."""

    shopper: Shopper
    affiliate_id: int
    code: str
    link: str


@dataclass(slots=True)
class Circle:
    """What shoppers remember of one another; visitors and people by their number."""

    programme_id: int
    partners: list[Partner] = field(default_factory=list)
    applied: int = 0
    """How many have asked to be a partner."""
    brought: dict[int, Partner | None] = field(default_factory=dict)
    """By whose link somebody came first; None for those who came by themselves."""
    visitors: dict[int, str] = field(default_factory=dict)
    """The id that a browser keeps of a click, where its owner consented."""
    inviters: list[Shopper] = field(default_factory=list)
    """Customers who have ordered before, and so can invite."""
    cheats: int = 0
    """How many have tried to invite themselves."""
