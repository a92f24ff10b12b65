"""The promotion engine: the best legal combination of offers for a basket. Pure functions over plain values.

How offers are judged and how they meet:

- Conditions look at the basket before any discount (`conditions`), so they do not depend on other offers.
- What a product offer gives is worked out on all the goods that it selects and split over them (`actions`). A cap or a
  fixed amount is split once: a unit that another offer takes, takes its share of the amount along.
- Product offers compete for units, and each unit takes what saves it most (`contest`); which sets of "buy x, get y" are
  taken is searched (`packing`).
- Order offers come off what is left of all goods, shipping offers off shipping (`pricing`).
- Classes stand together where both sides name each other; the family that saves most wins (`combination`).
- Every other offer is refused with its reason (`admission`, `solver`), and all of it goes into a trace that recomputes
  (`trace`).

`solve` is exact and does not depend on the order of its input. Its search is limited in steps, not in time; where a
pathological set of offers uses them up, the answer is legal and `Outcome.proved_best` is False (`effort`).
"""

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
