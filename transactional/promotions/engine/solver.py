"""`solve`: the best legal combination of offers for a basket, with the reason why each other one does not apply."""

from collections.abc import Sequence
from datetime import datetime

from transactional.core.money import amount_text
from transactional.promotions.engine.admission import Entry, admit, ranked, refusal
from transactional.promotions.engine.combination import Combiner
from transactional.promotions.engine.conditions import Failure
from transactional.promotions.engine.effort import STEPS, Effort
from transactional.promotions.engine.facts import Basket, Line, Moment, Shopper
from transactional.promotions.engine.nearest import nearest_offer
from transactional.promotions.engine.outcome import Applied, Outcome, Reason, Refused
from transactional.promotions.engine.pricing import price
from transactional.promotions.engine.rule import Candidate
from transactional.promotions.engine.selection import Shelves


def solve(
    basket: Basket, shopper: Shopper, now: datetime, candidates: Sequence[Candidate], *, steps: int = STEPS
) -> Outcome:
    """The combination of `candidates` that saves the customer most.

    Equal savings: the combination with the offer of higher priority, then of lower id. The order of `candidates` does
    not matter. `steps` limits the search; see `Outcome.proved_best`. Raises ValueError for a `now` without time zone.
    """
    moment = Moment(basket, shopper, now)
    shelves = Shelves(basket)
    admission = admit(moment, shelves, ranked(candidates))
    effort = Effort(steps)
    choices = Combiner(basket, shelves.lines, admission.entries, effort).best()
    priced = [_settled(basket, shelves.lines, admission.entries, choice.ranks) for choice in choices]
    ranks, applied = min(priced, key=lambda one: one[0])
    beaten = [entry for entry in admission.entries if entry.rank not in ranks]
    saving = sum(one.amount_minor for one in applied)
    refused = admission.refused + [_beaten(entry, saving, basket.currency) for entry in beaten]
    return Outcome(
        applied=tuple(applied),
        refused=tuple(sorted(refused, key=lambda one: (one.offer_id, one.code or ""))),
        nearest=nearest_offer(admission.missed, basket),
        proved_best=not effort.exhausted,
    )


def _settled(
    basket: Basket, lines: Sequence[Line], entries: Sequence[Entry], ranks: Sequence[int]
) -> tuple[tuple[int, ...], list[Applied]]:
    """Price offers until each of them gives something.

    Pricing exactly those that apply gives what the order's trace is later recomputed to.
    """
    taking_part = [entry for entry in entries if entry.rank in set(ranks)]
    while True:
        applied = price(basket, lines, taking_part, Effort())
        if len(applied) == len(taking_part):
            return tuple(entry.rank for entry in taking_part), applied
        giving = {one.offer_id for one in applied}
        taking_part = [entry for entry in taking_part if entry.candidate.offer_id in giving]


def _beaten(entry: Entry, saving_minor: int, currency: str) -> Refused:
    more = saving_minor - entry.alone_minor
    if more > 0:
        detail = f"another combination saves {amount_text(more, currency)} more than it does by itself"
    else:
        detail = "another combination saves as much as it does, and comes first"
    return refusal(entry.candidate, Failure(Reason.BETTER_WITHOUT, detail, {"better_by_minor": max(0, more)}))
