"""Which courier carries a parcel: who may, by the stored rules; then the cheapest, the risk of its return included."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from transactional.core.money import percent_of
from transactional.shipping.carrier import CourierOffer
from transactional.shipping.models import CourierRule, RuleAction


@dataclass(frozen=True, slots=True)
class ParcelFacts:
    """What rules and filters look at."""

    zone: str | None
    cod: bool
    chargeable_grams: int
    rto_probability_bp: int


@dataclass(frozen=True, slots=True)
class RankedCourier:
    """One courier of the table; `rank` is None for one that may not be taken."""

    offer: CourierOffer
    rank: int | None
    excluded_because: str | None
    adjustment_minor: int
    predicted_cost_minor: int
    reasons: tuple[str, ...] = field(default=())


def rank(offers: Sequence[CourierOffer], rules: Sequence[CourierRule], facts: ParcelFacts) -> list[RankedCourier]:
    """The whole table, best first, excluded ones last; the same for every order of offers.

    Predicted cost = rate + P(return to origin) × its charge + what rules add. Ties: quicker, better rated, lower id.
    """
    judged = [_judge(offer, rules, facts) for offer in {offer.courier_id: offer for offer in offers}.values()]
    eligible = sorted((each for each in judged if each.excluded_because is None), key=_preference)
    excluded = sorted((each for each in judged if each.excluded_because is not None), key=lambda e: e.offer.courier_id)
    ranked = [
        RankedCourier(e.offer, place, None, e.adjustment_minor, e.predicted_cost_minor, e.reasons)
        for place, e in enumerate(eligible, start=1)
    ]
    return ranked + excluded


def _preference(each: RankedCourier) -> tuple[int, int, int, int]:
    offer = each.offer
    days = offer.estimated_days if offer.estimated_days is not None else 10**6
    return each.predicted_cost_minor, days, -(offer.rating_milli or 0), offer.courier_id


def _judge(offer: CourierOffer, rules: Sequence[CourierRule], facts: ParcelFacts) -> RankedCourier:
    decisive, adjusting = _matching(offer, rules, facts)
    adjustment = sum(rule.adjustment_minor for rule in adjusting)
    risk = percent_of(offer.rto_charge_minor, facts.rto_probability_bp)
    reasons = [
        f"rate {offer.rate_minor}",
        f"return to origin: {facts.rto_probability_bp / 100:.2f} % of {offer.rto_charge_minor} = {risk}",
        *(f"rule {rule.name!r}: {rule.adjustment_minor:+d}" for rule in adjusting),
    ]
    if decisive is not None:
        reasons.append(f"rule {decisive.name!r}: {decisive.action}")
    return RankedCourier(
        offer=offer,
        rank=None,
        excluded_because=_exclusion(offer, decisive, facts),
        adjustment_minor=adjustment,
        predicted_cost_minor=offer.rate_minor + risk + adjustment,
        reasons=tuple(reasons),
    )


def _exclusion(offer: CourierOffer, decisive: CourierRule | None, facts: ParcelFacts) -> str | None:
    if offer.blocked_because is not None:
        return offer.blocked_because[:200]
    if facts.cod and not offer.cod:
        return "collects no cash at the door"
    if offer.max_grams is not None and facts.chargeable_grams > offer.max_grams:
        return f"carries at most {offer.max_grams} g"
    if offer.suppressed:
        return "fetches no parcels at present"
    if decisive is not None and decisive.action is RuleAction.BLOCK:
        return f"rule {decisive.name!r}"
    return None


def _matching(
    offer: CourierOffer, rules: Sequence[CourierRule], facts: ParcelFacts
) -> tuple[CourierRule | None, list[CourierRule]]:
    """The first rule that decides, and the adjustments of the rules looked at before it."""
    adjusting: list[CourierRule] = []
    for rule in sorted(rules, key=lambda rule: (rule.priority, rule.id)):
        if not rule.is_active or not _applies(rule, offer, facts):
            continue
        if rule.action is not RuleAction.ADJUST:
            return rule, adjusting
        adjusting.append(rule)
    return None, adjusting


def _applies(rule: CourierRule, offer: CourierOffer, facts: ParcelFacts) -> bool:
    return (
        rule.courier_id in {None, offer.courier_id}
        and rule.zone in {None, facts.zone}
        and rule.cod in {None, facts.cod}
        and rule.min_grams <= facts.chargeable_grams
        and (rule.max_grams is None or facts.chargeable_grams <= rule.max_grams)
    )
