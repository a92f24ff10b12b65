"""What a checkout costs in SQL: bundles and alerts take nothing from those who do not use them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from transactional.inventory import service


@contextmanager
def statements(kit: TradeKit) -> Iterator[list[str]]:
    """The statements that a piece of work sends, its frame left out."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "journal_context" not in statement and not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(kit.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(kit.database.engine, "before_cursor_execute", note)


def cost(kit: TradeKit, work: Callable[[Session], Any]) -> int:
    """How many statements a piece of work takes."""
    with statements(kit) as seen:
        kit.run(work)
    return len(seen)


def test_a_hold_reads_variants_and_levels_once_and_writes_each_level_once(kit: TradeKit) -> None:
    cup, lamp = kit.variant("CUP", stock=9), kit.variant("LAMP", stock=9)
    order = kit.buy({cup: 1})
    demand = {cup: 1, lamp: 1}
    held = cost(kit, lambda s: service.hold(s, order_id=order, demand=demand, expires_at=None, now=kit.now))
    assert held == 5, "variants, levels, a write for each of two levels, the holds"
    released = cost(kit, lambda s: service.release_holds(s, order, state=service.HoldState.RELEASED, now=kit.now))
    assert released == 3, "the holds, a write for each of two levels"
    assert cost(kit, lambda s: service.confirm_holds(s, order)) == 1
    assert cost(kit, lambda s: service.saleable(s, [cup, lamp])) == 2


def test_a_bundle_costs_its_list_and_its_parts_besides(kit: TradeKit) -> None:
    cup, box = kit.variant("CUP", stock=9), kit.variant("BOX")
    kit.run(lambda s: service.set_components(s, bundle_variant_id=box, components={cup: 2}))
    order = kit.buy({cup: 1})
    held = cost(kit, lambda s: service.hold(s, order_id=order, demand={box: 1}, expires_at=None, now=kit.now))
    assert held == 6, "variants, the list, the parts, levels, a write, the holds"
