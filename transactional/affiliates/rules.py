"""Whose an order is: one rule, evaluated here, published by `terms` from the same values. No database, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from transactional.affiliates.models import ClickRule, DecidedBy, Winner


@dataclass(frozen=True, slots=True)
class AttributionRule:
    """The values that decide, as a programme's version holds them."""

    window_days: int
    click_rule: ClickRule
    winner: Winner

    def covers(self, clicked_at: datetime, placed_at: datetime) -> bool:
        """Whether a click still counts for an order: from the click itself to the end of the window, both included."""
        return clicked_at <= placed_at <= clicked_at + timedelta(days=self.window_days)


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody followed an affiliate's link."""

    id: int
    affiliate_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Binding:
    """An earlier order of the buyer that a click had brought to an affiliate."""

    attribution_id: int
    affiliate_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class CodeUse:
    """The code that the buyer named, and whose it is."""

    id: int
    affiliate_id: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about an order when it is judged; only affiliates who may earn by it."""

    placed_at: datetime
    clicks: Sequence[Click] = ()
    binding: Binding | None = None
    code: CodeUse | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whose the order is, and the id of the click, code or attribution that says so."""

    affiliate_id: int
    by: DecidedBy
    evidence_id: int


def decide(rule: AttributionRule, evidence: Evidence) -> Decision | None:
    """The one affiliate of an order; None where nobody sent the buyer.

    Ties of clicks in the same moment go to the earlier row under `first_click` and to the later under `last_click`.
    """
    by_link = _by_link(rule, evidence)
    by_code = None if evidence.code is None else _decision(DecidedBy.CODE, evidence.code.affiliate_id, evidence.code.id)
    if rule.winner is Winner.CODE:
        return by_code or by_link
    return by_link or by_code


def _by_link(rule: AttributionRule, evidence: Evidence) -> Decision | None:
    """A buyer who is bound stays so without end, unless the last click counts and came after the order that bound."""
    counting = [click for click in evidence.clicks if rule.covers(click.at, evidence.placed_at)]
    bound = evidence.binding
    if bound is not None:
        newer = [click for click in counting if click.at > bound.at]
        if rule.click_rule is ClickRule.FIRST_CLICK or not newer:
            return _decision(DecidedBy.BINDING, bound.affiliate_id, bound.attribution_id)
        counting = newer
    if not counting:
        return None
    pick = min if rule.click_rule is ClickRule.FIRST_CLICK else max
    click = pick(counting, key=lambda click: (click.at, click.id))
    return _decision(DecidedBy.CLICK, click.affiliate_id, click.id)


def _decision(by: DecidedBy, affiliate_id: int, evidence_id: int) -> Decision:
    return Decision(affiliate_id, by, evidence_id)
