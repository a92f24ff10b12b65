"""What the shop is told to buy: the formula, what is stored with it, and that it can be told again."""

from datetime import timedelta

import pytest

from tests.transactional.inventory.test_statements import statements
from tests.transactional.suppliers.conftest import Buyer
from transactional.catalog.service import InventoryPolicy
from transactional.core.errors import NotFound
from transactional.inventory import service as inventory
from transactional.inventory.service import ReorderPolicy
from transactional.suppliers import jobs, service
from transactional.suppliers.models import PurchaseOrder, PurchaseOrderLine, StockRequirement
from transactional.suppliers.service import Arrived, Drafted, PurchaseOrigin, PurchaseStatus, RequirementSource


def suggested(buyer: Buyer) -> list[service.Suggestion]:
    """Every suggestion, those of nothing included."""
    return buyer.ask(lambda s: service.suggestions(s, now=buyer.kit.now))


def drafts(buyer: Buyer) -> list[tuple[PurchaseOrder, list[PurchaseOrderLine]]]:
    """Every draft with its lines, oldest first."""
    with buyer.kit.database.read() as session:
        orders = reversed(service.orders(session, status=PurchaseStatus.DRAFT))
        return [(order, list(service.lines_of(session, order.id))) for order in orders]


def sold_cups(buyer: Buyer, *, stock: int = 60, days: int = 10) -> int:
    """Cups of which 0, 3, 0, 3 … were sold a day; gives the variant."""
    cup = buyer.kit.variant("CUP", stock=stock)
    for day in range(days):
        if day % 2:
            buyer.sell(cup, 3)
        buyer.days_pass()
    return cup


class TestTheFormula:
    def test_forecast(self, buyer: Buyer) -> None:
        """15 sold in 10 days, lead time 10: 15 expected; variance 2.5, so 1.6449 · 5 = 8.2 in safety; 24 wanted."""
        cup = sold_cups(buyer, stock=20)
        buyer.forecast(cup)
        buyer.article(buyer.supplier(), cup, pack_size=6, minimum_quantity=12)
        [suggestion] = suggested(buyer)
        inputs = suggestion.inputs
        assert (inputs.demand_days, inputs.demand_units, inputs.demand_squares) == (10, 15, 45)
        assert inputs.demand_over_lead_time == 15.0
        assert inputs.safety_stock == pytest.approx(8.224, abs=1e-3)
        assert (inputs.target, inputs.on_hand, inputs.projected) == (24, 5, 5)
        assert suggestion.quantity == 24, "19 are needed, in packs of 6"

    def test_fixed(self, buyer: Buyer) -> None:
        cup = buyer.kit.variant("CUP", stock=4)
        buyer.rules(cup, reorder_policy=ReorderPolicy.FIXED, reorder_point=10)
        buyer.article(buyer.supplier(), cup)
        assert [suggestion.quantity for suggestion in suggested(buyer)] == [6]

    def test_a_level_whose_policy_is_off_is_left_out(self, buyer: Buyer) -> None:
        buyer.article(buyer.supplier(), buyer.kit.variant("CUP", stock=1))
        assert suggested(buyer) == []

    def test_what_is_reserved_and_what_is_on_order_both_count(self, buyer: Buyer) -> None:
        cup = buyer.kit.variant("CUP", stock=10)
        buyer.rules(cup, reorder_policy=ReorderPolicy.FIXED, reorder_point=10)
        article = buyer.article(supplier := buyer.supplier(), cup)
        buyer.kit.buy({cup: 7})
        order = buyer.placed(supplier, {article: 4})
        [suggestion] = suggested(buyer)
        inputs = suggestion.inputs
        assert (inputs.on_hand, inputs.reserved, inputs.on_order, inputs.projected) == (10, 7, 4, 7)
        assert suggestion.quantity == 3
        line = buyer.lines(order)[0].id
        buyer.receive(order, Arrived(line, 2, damaged=1))
        inputs = suggested(buyer)[0].inputs
        assert (inputs.on_hand, inputs.on_order, inputs.projected) == (12, 1, 6)
        buyer.run(lambda s: service.close(s, purchase_order_id=order, reason="sold out", now=buyer.kit.now).id)
        assert suggested(buyer)[0].inputs.on_order == 0

    def test_a_cancelled_order_is_not_on_order(self, buyer: Buyer) -> None:
        cup = buyer.kit.variant("CUP")
        article = buyer.article(supplier := buyer.supplier(), cup)
        order = buyer.placed(supplier, {article: 4})
        place = buyer.place_id()
        key = (cup, place)
        assert buyer.ask(lambda s: service.on_order(s, [cup], at=buyer.kit.now)) == {key: 4}
        placed_at = buyer.kit.now
        buyer.days_pass()
        buyer.run(lambda s: service.cancel(s, purchase_order_id=order, reason="dear", now=buyer.kit.now).id)
        assert buyer.ask(lambda s: service.on_order(s, [cup], at=buyer.kit.now)) == {}
        assert buyer.ask(lambda s: service.on_order(s, [cup], at=placed_at)) == {key: 4}, "as it was then"

    def test_back_orders_are_bought_as_well(self, buyer: Buyer) -> None:
        lamp = buyer.kit.variant("LAMP", stock=1, policy=InventoryPolicy.BACKORDER)
        buyer.rules(lamp, reorder_policy=ReorderPolicy.FIXED, reorder_point=0)
        buyer.article(buyer.supplier(), lamp)
        buyer.kit.buy({lamp: 5})
        assert [suggestion.quantity for suggestion in suggested(buyer)] == [4]

    def test_what_nobody_sells_is_suggested_without_an_article(self, buyer: Buyer) -> None:
        cup = buyer.kit.variant("CUP", stock=1)
        buyer.rules(cup, reorder_policy=ReorderPolicy.FIXED, reorder_point=5)
        [suggestion] = suggested(buyer)
        assert (suggestion.product, suggestion.quantity) == (None, 4)
        assert jobs.reorder(buyer.kit.database) == Drafted(0, 0)

    def test_the_preferred_article_else_the_cheapest_is_bought(self, buyer: Buyer) -> None:
        cup = buyer.kit.variant("CUP", stock=1)
        buyer.rules(cup, reorder_policy=ReorderPolicy.FIXED, reorder_point=5)
        buyer.article(buyer.supplier("DEAR"), cup, cost_minor=900)
        cheap = buyer.article(buyer.supplier("CHEAP"), cup, cost_minor=100)
        gone = buyer.article(buyer.supplier("GONE", is_active=False), cup, cost_minor=1)
        assert [suggestion.product.id for suggestion in suggested(buyer) if suggestion.product] == [cheap]
        friend = buyer.article(buyer.supplier("FRIEND"), cup, cost_minor=999, is_preferred=True)
        assert [suggestion.product.id for suggestion in suggested(buyer) if suggestion.product] == [friend]
        assert gone

    def test_demand_is_of_whole_days_before_today_by_utc(self, buyer: Buyer) -> None:
        cup = buyer.kit.variant("CUP", stock=50)
        buyer.clock.advance(timedelta(hours=13, minutes=59))  # 23:59 UTC, the next day in India
        buyer.sell(cup, 5)
        buyer.clock.advance(timedelta(minutes=2))
        buyer.sell(cup, 7)  # today
        buyer.forecast(cup)
        buyer.article(buyer.supplier(), cup)
        inputs = suggested(buyer)[0].inputs
        assert (inputs.demand_days, inputs.demand_units) == (1, 5)

    def test_a_parts_demand_is_that_of_its_bundles_too(self, buyer: Buyer) -> None:
        cup, box = buyer.kit.variant("CUP", stock=50), buyer.kit.variant("BOX")
        buyer.run(lambda s: inventory.set_components(s, bundle_variant_id=box, components={cup: 3}))
        buyer.sell(box, 2)
        buyer.days_pass()
        buyer.forecast(cup)
        assert suggested(buyer)[0].inputs.demand_units == 6


class TestTheJob:
    def test_it_drafts_one_order_a_supplier_with_the_inputs_on_each_line(self, buyer: Buyer) -> None:
        cup, lamp, card = (buyer.kit.variant(sku, stock=1) for sku in ("CUP", "LAMP", "CARD"))
        for variant in (cup, lamp, card):
            buyer.rules(variant, reorder_policy=ReorderPolicy.FIXED, reorder_point=5)
        toys, paper = buyer.supplier(), buyer.supplier("PAPER")
        buyer.article(toys, cup)
        buyer.article(toys, lamp, "CT-2")
        buyer.article(paper, card)
        assert jobs.reorder(buyer.kit.database) == Drafted(3, 0)
        found = drafts(buyer)
        assert [(order.supplier_id, order.origin) for order, _ in found] == [
            (toys, PurchaseOrigin.REORDER),
            (paper, PurchaseOrigin.REORDER),
        ]
        assert [[(line.variant_id, line.quantity) for line in lines] for _, lines in found] == [
            [(cup, 4), (lamp, 4)],
            [(card, 4)],
        ]
        inputs = found[0][1][0].inputs
        assert (inputs["on_hand"], inputs["reorder_point"], inputs["quantity"]) == (1, 5, 4)

    def test_running_it_again_changes_nothing(self, buyer: Buyer) -> None:
        cup = sold_cups(buyer, stock=20)
        buyer.forecast(cup)
        buyer.article(buyer.supplier(), cup)
        assert jobs.reorder(buyer.kit.database) == Drafted(1, 0)
        before = [(order.id, [(line.id, line.inputs) for line in lines]) for order, lines in drafts(buyer)]
        buyer.clock.advance(timedelta(hours=6))
        assert jobs.reorder(buyer.kit.database) == Drafted(0, 0)
        assert [(order.id, [(line.id, line.inputs) for line in lines]) for order, lines in drafts(buyer)] == before
        assert buyer.kit.count(StockRequirement) == 1

    def test_it_makes_no_second_order_once_the_first_is_placed_late_or_here(self, buyer: Buyer) -> None:
        cup = buyer.kit.variant("CUP", stock=1)
        buyer.rules(cup, reorder_policy=ReorderPolicy.FIXED, reorder_point=5)
        buyer.article(buyer.supplier(), cup)
        jobs.reorder(buyer.kit.database)
        [(order, [line])] = drafts(buyer)
        buyer.place(order.id)
        assert jobs.reorder(buyer.kit.database) == Drafted(0, 0)
        buyer.days_pass(100)  # long overdue: still on order
        assert jobs.reorder(buyer.kit.database) == Drafted(0, 0)
        buyer.receive(order.id, Arrived(line.id, 4))
        assert jobs.reorder(buyer.kit.database) == Drafted(0, 0)
        assert buyer.kit.count(PurchaseOrder) == 1

    def test_a_draft_follows_what_is_needed_until_nothing_is(self, buyer: Buyer) -> None:
        cup = buyer.kit.variant("CUP", stock=5)
        buyer.rules(cup, reorder_policy=ReorderPolicy.FIXED, reorder_point=10)
        buyer.article(buyer.supplier(), cup)
        jobs.reorder(buyer.kit.database)
        buyer.sell(cup, 2)
        assert jobs.reorder(buyer.kit.database) == Drafted(1, 0)
        [(order, [line])] = drafts(buyer)
        assert (line.quantity, line.inputs["on_hand"]) == (7, 3)
        buyer.rules(cup, reorder_policy=ReorderPolicy.OFF)
        assert jobs.reorder(buyer.kit.database) == Drafted(0, 1)
        assert drafts(buyer) == []
        gone = buyer.order(order.id)
        assert (gone.status, gone.closing_reason) == (PurchaseStatus.CANCELLED, "nothing is needed any more")
        assert buyer.kit.count(StockRequirement) == 0

    def test_what_somebody_edits_or_drafts_is_theirs(self, buyer: Buyer) -> None:
        cup, lamp = buyer.kit.variant("CUP", stock=1), buyer.kit.variant("LAMP", stock=1)
        for variant in (cup, lamp):
            buyer.rules(variant, reorder_policy=ReorderPolicy.FIXED, reorder_point=5)
        supplier = buyer.supplier()
        cups, lamps = buyer.article(supplier, cup), buyer.article(supplier, lamp, "CT-2")
        buyer.draft(supplier, {lamps: 50})
        jobs.reorder(buyer.kit.database)
        _manual, (reorder, [line]) = drafts(buyer)
        assert line.variant_id == cup, "the lamps are being bought already"
        buyer.run(
            lambda s: (
                service.set_line(
                    s, purchase_order_id=reorder.id, supplier_product_id=cups, quantity=100, now=buyer.kit.now
                ).id
            )
        )
        buyer.sell(cup, 1)
        assert jobs.reorder(buyer.kit.database) == Drafted(0, 0)
        assert [line.quantity for line in buyer.lines(reorder.id)] == [100]

    def test_another_supplier_takes_over_and_the_old_line_goes(self, buyer: Buyer) -> None:
        cup = buyer.kit.variant("CUP", stock=1)
        buyer.rules(cup, reorder_policy=ReorderPolicy.FIXED, reorder_point=5)
        buyer.article(buyer.supplier("DEAR"), cup, cost_minor=900)
        jobs.reorder(buyer.kit.database)
        cheap = buyer.supplier("CHEAP")
        buyer.article(cheap, cup, cost_minor=100)
        assert jobs.reorder(buyer.kit.database) == Drafted(1, 1)
        assert [order.supplier_id for order, _ in drafts(buyer)] == [cheap]

    def test_each_currency_has_an_order_of_its_own(self, buyer: Buyer) -> None:
        cup, lamp = buyer.kit.variant("CUP", stock=1), buyer.kit.variant("LAMP", stock=1)
        for variant in (cup, lamp):
            buyer.rules(variant, reorder_policy=ReorderPolicy.FIXED, reorder_point=5)
        supplier = buyer.supplier()
        buyer.article(supplier, cup)
        buyer.article(supplier, lamp, "CT-2", currency="USD")
        jobs.reorder(buyer.kit.database)
        assert [order.currency for order, _ in drafts(buyer)] == ["INR", "USD"]


class TestToldAgain:
    def test_a_line_is_reproduced_from_the_ledgers_long_after(self, buyer: Buyer) -> None:
        cup = sold_cups(buyer, stock=40)
        supplier = buyer.supplier()
        article = buyer.article(supplier, cup)
        waiting = buyer.kit.buy({cup: 4})
        first = buyer.placed(supplier, {article: 3})
        buyer.days_pass()
        buyer.forecast(cup, service_level_bp=9_990)
        buyer.rules(cup, reorder_policy=ReorderPolicy.FIXED, reorder_point=40)
        jobs.reorder(buyer.kit.database)
        [(_order, [line])] = drafts(buyer)
        stored = line.inputs
        assert (stored["on_hand"], stored["reserved"], stored["on_order"]) == (25, 4, 3)
        buyer.days_pass(2)
        # Everything that it followed from changes.
        buyer.kit.ship(waiting)
        buyer.receive(first, Arrived(buyer.lines(first)[0].id, 3))
        buyer.sell(cup, 5)
        buyer.rules(cup, reorder_policy=ReorderPolicy.OFF, reorder_point=0)
        buyer.run(lambda s: service.update_product(s, supplier_product_id=article, lead_time_days=99).id)
        kept, again = buyer.ask(lambda s: service.explain(s, line.id))
        assert kept == again
        assert kept.stored() == stored

    def test_a_line_that_a_person_drew_up_has_no_formula(self, buyer: Buyer) -> None:
        supplier = buyer.supplier()
        order = buyer.draft(supplier, {buyer.article(supplier, buyer.kit.variant("CUP")): 5})
        line = buyer.lines(order)[0].id
        with pytest.raises(NotFound, match="no suggestion behind"):
            buyer.ask(lambda s: service.explain(s, line))

    def test_it_is_put_in_words(self, buyer: Buyer) -> None:
        cup = buyer.kit.variant("CUP", stock=4)
        buyer.rules(cup, reorder_policy=ReorderPolicy.FIXED, reorder_point=10)
        buyer.article(buyer.supplier(), cup)
        assert service.in_words(suggested(buyer)[0].inputs) == (
            "4 on hand − 0 reserved + 0 on order = 4 units; wanted: the reorder point of 10; "
            "to order: 6 (packs of 1, at least 1)"
        )


def test_the_forecast_that_made_a_line_is_a_requirement_that_the_line_covers(buyer: Buyer) -> None:
    cup = buyer.kit.variant("CUP", stock=1)
    buyer.rules(cup, reorder_policy=ReorderPolicy.FIXED, reorder_point=5)
    buyer.article(buyer.supplier(), cup, pack_size=12)
    jobs.reorder(buyer.kit.database)
    [(order, [line])] = drafts(buyer)
    [requirement] = buyer.ask(lambda s: list(service.requirements(s)))
    assert (requirement.source, requirement.quantity, requirement.purchase_order_line_id) == (
        RequirementSource.FORECAST,
        4,
        line.id,
    )
    assert requirement.needed_by == (buyer.kit.now + timedelta(days=10)).date()
    buyer.place(order.id)
    buyer.receive(order.id, Arrived(line.id, 12))
    [met] = buyer.ask(lambda s: list(service.requirements(s, unmet_only=False)))
    assert met.state is service.RequirementState.MET


def test_any_number_of_levels_is_asked_about_at_once(buyer: Buyer) -> None:
    def cost() -> int:
        with statements(buyer.kit) as seen:
            suggested(buyer)
        return len(seen)

    def one_more(sku: str) -> None:
        variant = buyer.kit.variant(sku, stock=1)
        buyer.rules(variant, reorder_policy=ReorderPolicy.FORECAST)
        buyer.article(buyer.supplier(sku), variant)

    one_more("CUP-0")
    one = cost()
    for number in range(1, 5):
        one_more(f"CUP-{number}")
    assert len(suggested(buyer)) == 5
    assert cost() == one
