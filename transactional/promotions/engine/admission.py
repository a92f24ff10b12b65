"""Which candidates may apply to a basket at all, and what each would give; the others with the reason why not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transactional.core.money import amount_text, percent_of
from transactional.promotions.engine.conditions import Failure
from transactional.promotions.engine.contest import GoodsOffer, LineShare
from transactional.promotions.engine.facts import Basket, DiscountClass, Moment
from transactional.promotions.engine.grants import Bundle, Part, Share
from transactional.promotions.engine.outcome import Reason, Refused
from transactional.promotions.engine.rule import Base, Candidate, Rule
from transactional.promotions.engine.selection import Shelves

_BLOCKED = {
    Reason.LIMIT_REACHED: "all its uses are taken",
    Reason.PERSON_LIMIT_REACHED: "you have used it as often as one may",
    Reason.NOT_ACTIVE: "it is not open yet",
    Reason.PAUSED: "it is paused",
    Reason.ENDED: "it has ended",
    Reason.HELD_OUT: "it is not open to everybody",
    Reason.UNKNOWN_CODE: "there is no such code",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A candidate that may apply. `rank` is its place among all; `alone_minor` what it saves without any other."""

    rank: int
    candidate: Candidate
    alone_minor: int
    goods: GoodsOffer | None = None

    @property
    def rule(self) -> Rule:
        """The candidate's rule."""
        return self.candidate.rule


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may apply, by rank, and who may not."""

    entries: list[Entry]
    refused: list[Refused]
    missed: list[tuple[Candidate, Failure]]
    """Candidates that figures alone keep from applying: so much spend, so many units."""


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Higher priority first, then the lower id; codes of one offer in their own order."""
    return sorted(
        candidates, key=lambda one: (-one.rule.priority, one.offer_id, one.blocked is not None, one.code or "")
    )


def admit(moment: Moment, shelves: Shelves, candidates: Sequence[Candidate]) -> Admission:
    """Judge every candidate (in the order of `ranked`) by itself."""
    admission = Admission([], [], [])
    admitted: set[int] = set()
    for rank, candidate in enumerate(candidates):
        judged = _judge(rank, candidate, moment, shelves, taken=candidate.offer_id in admitted)
        if isinstance(judged, Entry):
            admission.entries.append(judged)
            admitted.add(candidate.offer_id)
            continue
        admission.refused.append(refusal(candidate, judged))
        if judged.reachable and judged.missing:
            admission.missed.append((candidate, judged))
    return admission


def _judge(rank: int, candidate: Candidate, moment: Moment, shelves: Shelves, *, taken: bool) -> Failure | Entry:
    ruled_out = _ruled_out(candidate, moment, taken)
    if ruled_out is not None:
        return ruled_out
    failures = [
        failure
        for condition in candidate.rule.conditions
        if (failure := condition.failure(moment, shelves)) is not None
    ]
    return _joined(failures) if failures else enter(rank, candidate, moment.basket, shelves)


def refusal(candidate: Candidate, failure: Failure) -> Refused:
    """The outcome's words for a failure."""
    return Refused(
        candidate.offer_id,
        candidate.version,
        candidate.code,
        failure.reason,
        failure.detail,
        failure.missing,
        failure.reachable,
    )


def enter(rank: int, candidate: Candidate, basket: Basket, shelves: Shelves) -> Entry | Failure:
    """What a candidate whose conditions hold gives on this basket, or why it gives nothing."""
    if candidate.rule.discount_class is DiscountClass.PRODUCT:
        return _on_goods(rank, candidate, shelves)
    if candidate.rule.discount_class is DiscountClass.ORDER:
        return _on_order(rank, candidate, basket, shelves)
    return _on_shipping(rank, candidate, basket)


def _ruled_out(candidate: Candidate, moment: Moment, admitted_already: bool) -> Failure | None:
    if candidate.blocked is not None:
        known = candidate.blocked in _BLOCKED
        reason = candidate.blocked if known else Reason.BLOCKED
        return Failure(reason, _BLOCKED[Reason(reason)] if known else candidate.blocked)
    if admitted_already:
        return Failure(Reason.SAME_OFFER, "another code of the same offer is there already")
    currency = candidate.rule.currency
    if currency is not None and currency != moment.basket.currency:
        return Failure(Reason.CURRENCY, f"only for baskets in {currency}")
    return None


def _joined(failures: Sequence[Failure]) -> Failure:
    """All that is missing, under the first reason."""
    if len(failures) == 1:
        return failures[0]
    missing: dict[str, int] = {}
    for failure in failures:
        for name, figure in failure.missing.items():
            missing[name] = max(figure, missing.get(name, 0))
    return Failure(
        failures[0].reason,
        "; ".join(failure.detail for failure in failures),
        missing,
        all(failure.reachable for failure in failures),
    )


def _on_goods(rank: int, candidate: Candidate, shelves: Shelves) -> Entry | Failure:
    rule = candidate.rule
    grant = rule.on_goods.grant(shelves)
    if grant.too_few:
        detail = f"{grant.too_few} more of its goods"
        return Failure(Reason.TOO_FEW, detail, {"quantity": grant.too_few}, reachable=True)
    if not shelves.find(rule.action.select):
        return Failure(Reason.NOTHING_SELECTED, "none of its goods is in the basket", {"quantity": 1}, reachable=True)
    if rule.all_or_nothing and rule.on_goods.falls_short(shelves):
        return Failure(Reason.NOT_IN_FULL, "the goods cannot bear all of it")
    of_initial = rule.base is Base.INITIAL
    shares = tuple(share for share in (_line_share(shelves, rank, one, of_initial) for one in grant.shares) if share)
    stacks = DiscountClass.PRODUCT in rule.combines_with
    goods = GoodsOffer(rank, shares, grant.bundles, stacks)
    if rule.all_or_nothing:
        goods = GoodsOffer(rank, (), (_as_one(goods, shelves),), stacks)
    alone = goods.alone_minor
    return Entry(rank, candidate, alone, goods) if alone else Failure(Reason.NOTHING_LEFT, _NOTHING_LEFT)


_NOTHING_LEFT = "there is nothing that it could lower"


def _line_share(shelves: Shelves, rank: int, share: Share, of_initial: bool) -> LineShare | None:
    """A share with what it takes off the whole line; None where that is nothing."""
    whole = min(percent_of(shelves.gross_minor[share.line], share.basis_points), shelves.room_minor[share.line])
    if share.ceiling_minor is not None:
        whole = min(whole, share.ceiling_minor)
    return LineShare(rank, share, of_initial, whole) if whole else None


def _as_one(goods: GoodsOffer, shelves: Shelves) -> Bundle:
    """Everything that an offer gives as a single set: all of it or nothing."""
    parts = {
        one.share.line: Part(one.share.line, 0, shelves.lines[one.share.line].quantity, one.whole_minor)
        for one in goods.shares
    }
    for bundle in goods.bundles:
        for part in bundle.parts:
            old = parts.get(part.line, Part(part.line, 0, 0, 0))
            parts[part.line] = Part(
                part.line, old.full + part.full, old.lowered + part.lowered, old.amount_minor + part.amount_minor
            )
    return Bundle(tuple(parts[line] for line in sorted(parts)))


def _on_order(rank: int, candidate: Candidate, basket: Basket, shelves: Shelves) -> Entry | Failure:
    if not shelves.lines:
        return Failure(Reason.NOTHING_SELECTED, "the basket is empty", {"quantity": 1}, reachable=True)
    wanted = candidate.rule.on_sum.off(basket.gross_minor)
    return _on_sum(rank, candidate, wanted, sum(shelves.room_minor))


def _on_shipping(rank: int, candidate: Candidate, basket: Basket) -> Entry | Failure:
    shipping = basket.shipping_minor
    if shipping is None:
        return Failure(Reason.SHIPPING_UNKNOWN, "the price of shipping is not known yet", reachable=True)
    off = candidate.rule.on_sum.off(shipping)
    if candidate.rule.all_or_nothing and off < shipping:
        rest = amount_text(shipping - off, basket.currency)
        return Failure(Reason.NOT_IN_FULL, f"it would leave {rest} of the shipping")
    return _on_sum(rank, candidate, off, shipping)


def _on_sum(rank: int, candidate: Candidate, wanted: int, room: int) -> Entry | Failure:
    if candidate.rule.all_or_nothing and wanted > room:
        return Failure(Reason.NOT_IN_FULL, "the order cannot bear all of it")
    alone = min(wanted, room)
    return Entry(rank, candidate, alone) if alone else Failure(Reason.NOTHING_LEFT, _NOTHING_LEFT)
