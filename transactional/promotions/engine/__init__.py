"""The promotion engine: the best legal combination of offers for a basket. Pure functions over plain values."""

from transactional.promotions.engine.facts import Basket, DiscountClass, Line, Moment, Shopper
from transactional.promotions.engine.outcome import Applied, Nearest, Outcome, Reason, Refused
from transactional.promotions.engine.rule import Base, Candidate, Rule, dump_rule, parse_rule
from transactional.promotions.engine.selection import Selection
from transactional.promotions.engine.solver import solve
from transactional.promotions.engine.trace import applied_in, basket_in, recompute, trace_of

__all__ = [
    "Applied",
    "Base",
    "Basket",
    "Candidate",
    "DiscountClass",
    "Line",
    "Moment",
    "Nearest",
    "Outcome",
    "Reason",
    "Refused",
    "Rule",
    "Selection",
    "Shopper",
    "applied_in",
    "basket_in",
    "dump_rule",
    "parse_rule",
    "recompute",
    "solve",
    "trace_of",
]
