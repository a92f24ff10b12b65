"""An offer with a hold-out, and what it truly does: whoever sees it hesitates less, and buys now and then unplanned.

For every visit within the offer's time both chances of a purchase are known, with the offer and without it. Their means
are the true effect, against which a report's estimate can be judged.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from transactional.promotions import service as promotions
from transactional.promotions.service import Person, Promotion
from transactional.simulation.shoppers import Shopper

_BUYS_UNPLANNED = 0.12
"""The chance that somebody who only looks around is tempted by the offer."""
_HESITATES_LESS = 0.4
"""What is left of a hesitation once the offer is seen."""


@dataclass(slots=True)
class Temptation:
    """The offer, and the sum of the chances of a purchase over all visits in its time, in both worlds."""

    promotion: Promotion
    begins: datetime
    ends: datetime
    visits: int = 0
    treated: float = 0.0
    held_out: float = 0.0

    def moods(self, shopper: Shopper, *, wants: bool, hesitation: float, now: datetime) -> tuple[float, float]:
        """The chances that a visitor means to buy, and that they shrink back from it, as things are for them."""
        wish = float(wants)
        if not self.begins <= now < self.ends:
            return wish, hesitation
        tempted, eased = (1.0 if wants else _BUYS_UNPLANNED), hesitation * _HESITATES_LESS
        self.visits += 1
        self.treated += tempted * (1 - eased)
        self.held_out += wish * (1 - hesitation)
        return (wish, hesitation) if self.leaves_out(shopper) else (tempted, eased)

    def leaves_out(self, shopper: Shopper) -> bool:
        """Whether the shop hides the offer from this person."""
        return promotions.leaves_out(self.promotion, Person(email=shopper.email))

    def truth(self) -> dict[str, Any]:
        """What a perfect experiment would find: chances of a purchase a visit."""
        visits = max(1, self.visits)
        treated, held_out = self.treated / visits, self.held_out / visits
        return {
            "promotion_id": self.promotion.id,
            "name": self.promotion.name,
            "holdout_bp": self.promotion.holdout_bp,
            "begins": self.begins.isoformat(),
            "ends": self.ends.isoformat(),
            "visits": self.visits,
            "treated_purchase_rate": round(treated, 6),
            "held_out_purchase_rate": round(held_out, 6),
            "uplift": round(treated - held_out, 6),
            "uplift_rate": round(treated / held_out - 1, 6) if held_out else None,
        }
