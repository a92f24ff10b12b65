"""A rule: what is given, when, and what it combines with. `parse_rule` reads one from JSON and says what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from transactional.core.errors import InvalidInput
from transactional.promotions.engine.actions import ACTIONS, Action, GoodsAction, SumAction
from transactional.promotions.engine.conditions import CONDITIONS, Condition
from transactional.promotions.engine.facts import DiscountClass
from transactional.promotions.engine.plugins import PluginType, Register


class Base(StrEnum):
    """What a percentage is taken of, where discounts stack."""

    INITIAL = "initial"
    DISCOUNTED = "discounted"


@dataclass(frozen=True, slots=True)
class Rule:
    """One offer's rule. A higher `priority` comes first; it orders stacked discounts and breaks ties.

    `combines_with` names the classes that the offer may stand beside; both sides must agree. Product offers on
    different units never disturb each other. `max_per_class` is the most offers of its own class that may apply where
    it does. `all_or_nothing`: a product offer takes every unit that it selects, or none; an order or shipping offer
    applies only where the goods (or the shipping) could bear all of it. `currency` None: the amounts are meant in the
    basket's currency, whichever it is.
    """

    action: Action
    discount_class: DiscountClass
    conditions: tuple[Condition, ...] = ()
    priority: int = 0
    combines_with: frozenset[DiscountClass] = frozenset()
    exclusive: bool = False
    base: Base = Base.DISCOUNTED
    max_per_class: int | None = None
    all_or_nothing: bool = False
    currency: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for an action that cannot be a discount of this class."""
        if self.discount_class not in self.action.classes:
            raise ValueError(f"{self.kind} cannot be a discount on {self.discount_class}")

    @property
    def on_goods(self) -> GoodsAction:
        """The action of a product discount."""
        return cast("GoodsAction", self.action)

    @property
    def on_sum(self) -> SumAction:
        """The action of an order or shipping discount."""
        return cast("SumAction", self.action)

    @property
    def kind(self) -> str:
        """The action's kind."""
        return self.action.kind

    @property
    def args(self) -> dict[str, Any]:
        """The action's arguments as JSON."""
        return self.action.args


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer that may apply: automatic, or brought by a code.

    `blocked` is why the caller rules it out: one of the first of `outcome.Reason`, or a sentence for people.
    """

    offer_id: int
    version: int
    code: str | None
    rule: Rule
    blocked: str | None = None


class _PluginForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: str
    args: dict[str, Any] = Field(default_factory=dict)


class _RuleForm(_PluginForm):
    discount_class: DiscountClass
    conditions: list[_PluginForm] = Field(default_factory=list, max_length=50)
    priority: int = Field(default=0, ge=-1_000_000, le=1_000_000)
    combines_with: frozenset[DiscountClass] = frozenset()
    exclusive: bool = False
    base: Base = Base.DISCOUNTED
    max_per_class: int | None = Field(default=None, ge=1, le=1_000)
    all_or_nothing: bool = False
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None


def parse_rule(data: Mapping[str, Any]) -> Rule:
    """The rule that a JSON object states.

    Raises InvalidInput with every fault found; `errors` names field and reason.
    """
    try:
        form = _RuleForm.model_validate(dict(data))
    except ValidationError as error:
        raise _refusal(_faults(error, "")) from error
    faults: list[dict[str, str]] = []
    action = _plugin(ACTIONS, form, "", faults)
    conditions = [
        _plugin(CONDITIONS, condition, f"conditions.{number}.", faults)
        for number, condition in enumerate(form.conditions)
    ]
    if action is not None:
        faults += _contradictions(form, action)
    if faults or action is None:
        raise _refusal(faults)
    return Rule(
        action=action,
        discount_class=form.discount_class,
        conditions=tuple(condition for condition in conditions if condition is not None),
        priority=form.priority,
        combines_with=form.combines_with,
        exclusive=form.exclusive,
        base=form.base,
        max_per_class=form.max_per_class,
        all_or_nothing=form.all_or_nothing,
        currency=form.currency,
    )


def dump_rule(rule: Rule) -> dict[str, Any]:
    """A rule as the JSON object that `parse_rule` reads; equal rules give equal objects."""
    return {
        "kind": rule.kind,
        "args": rule.args,
        "conditions": [{"kind": condition.kind, "args": condition.args} for condition in rule.conditions],
        "discount_class": rule.discount_class.value,
        "priority": rule.priority,
        "combines_with": sorted(other.value for other in rule.combines_with),
        "exclusive": rule.exclusive,
        "base": rule.base.value,
        "max_per_class": rule.max_per_class,
        "all_or_nothing": rule.all_or_nothing,
        "currency": rule.currency,
    }


def _plugin(
    register: Register[PluginType], form: _PluginForm, where: str, faults: list[dict[str, str]]
) -> PluginType | None:
    try:
        return register.parse(form.kind, form.args)
    except KeyError:
        faults.append({"field": f"{where}kind", "message": f"{form.kind!r} is none of {', '.join(register.kinds)}"})
    except ValidationError as error:
        faults.extend(_faults(error, f"{where}args."))
    return None


def _contradictions(form: _RuleForm, action: Action) -> list[dict[str, str]]:
    faults = []
    if form.discount_class not in action.classes:
        possible = " or ".join(sorted(action.classes))
        faults.append({"field": "discount_class", "message": f"{action.kind} is a discount of the class {possible}"})
    elif form.discount_class is not DiscountClass.PRODUCT and not action.select.everything:
        message = f"the class {form.discount_class} is for the whole order; use the class product for some goods"
        faults.append({"field": "args.select", "message": message})
    if form.exclusive and form.combines_with:
        faults.append({"field": "combines_with", "message": "an exclusive offer stands alone"})
    return faults


def _faults(error: ValidationError, prefix: str) -> list[dict[str, str]]:
    return [
        {
            "field": (prefix + ".".join(str(step) for step in fault["loc"])).rstrip("."),
            "message": fault["msg"].removeprefix("Value error, "),
        }
        for fault in error.errors(include_url=False)
    ]


def _refusal(faults: list[dict[str, str]]) -> InvalidInput:
    shown = "; ".join(f"{fault['field']}: {fault['message']}" for fault in faults[:5])
    return InvalidInput(f"the rule cannot be used: {shown}", errors=faults)
