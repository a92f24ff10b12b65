"""The catalogue's rules: tree, prices without gaps, tiers, and what may be bought."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from transactional.catalog import service
from transactional.catalog.service import GiftTier, Product, ProductFilter
from transactional.catalog.slugs import slugify
from transactional.catalog.tiers import tier_of_price
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.core.uow import Database


def new_product(session: Session, clock: ManualClock, sku: str = "LAMP-1", **changes: object) -> Product:
    category = next(iter(service.list_categories(session)), None) or service.create_category(session, name="Gifts")
    values = {"name": f"Gift {sku}", "category_id": category.id, "price_minor": 50_000, "currency": "INR", **changes}
    return service.create_product(session, sku=sku, now=clock.now(), **values)  # type: ignore[arg-type]


def price_of(session: Session, variant_id: int, clock: ManualClock) -> int | None:
    found = service.buyable_variants(session, [variant_id], currency="INR", now=clock.now())
    return found[variant_id].price_minor if variant_id in found else None


class TestTree:
    def test_descendants_reach_all_the_way_down(self, database: Database) -> None:
        with database.unit_of_work(actor="test") as session:
            root = service.create_category(session, name="Festivals")
            child = service.create_category(session, name="Diwali", parent_id=root.id)
            grandchild = service.create_category(session, name="Lamps", parent_id=child.id)
            other = service.create_category(session, name="Toys")
            assert service.descendant_ids(session, root.id) == {root.id, child.id, grandchild.id}
            assert service.descendant_ids(session, other.id) == {other.id}
            assert service.descendant_ids(session, 999) == set()

    def test_a_cycle_is_refused(self, database: Database) -> None:
        with database.unit_of_work(actor="test") as session:
            root = service.create_category(session, name="A")
            child = service.create_category(session, name="B", parent_id=root.id)
            for target in (root.id, child.id):
                with pytest.raises(Conflict, match="cycle"):
                    service.move_category(session, category_id=root.id, parent_id=target)
            service.move_category(session, category_id=child.id, parent_id=None)
            service.move_category(session, category_id=root.id, parent_id=child.id)

    def test_unknown_parents_and_used_slugs_are_refused(self, database: Database) -> None:
        with database.unit_of_work(actor="test") as session:
            service.create_category(session, name="Lamps")
            with pytest.raises(Conflict):
                service.create_category(session, name="Lamps")
            with pytest.raises(NotFound):
                service.create_category(session, name="Deep", parent_id=77)
            with pytest.raises(InvalidInput):
                service.create_category(session, name=" !? ")
            # The refusals left the transaction usable.
            assert len(service.list_categories(session)) == 1


class TestSlugs:
    @pytest.mark.parametrize(
        ("name", "slug"),
        [
            ("Hand-painted  Diya Set!", "hand-painted-diya-set"),
            ("Crème brûlée für Zwei", "creme-brulee-fur-zwei"),
            ("राखी उपहार", "राखी-उपहार"),
            ("🎁", ""),
        ],
    )
    def test_words(self, name: str, slug: str) -> None:
        assert slugify(name) == slug

    @given(st.text(max_size=300))
    def test_a_slug_is_stable_and_within_its_limit(self, name: str) -> None:
        slug = slugify(name)
        assert len(slug) <= 120
        assert slugify(slug) == slug
        assert " " not in slug

    def test_a_second_product_of_the_same_name_gets_its_own_address(
        self, database: Database, clock: ManualClock
    ) -> None:
        with database.unit_of_work(actor="test") as session:
            first = new_product(session, clock, "A-1", name="Brass lamp")
            second = new_product(session, clock, "A-2", name="Brass lamp")
            assert (first.slug, second.slug) == ("brass-lamp", "brass-lamp-a-2")


class TestPrices:
    def test_history_has_neither_gaps_nor_overlaps(self, database: Database, clock: ManualClock) -> None:
        with database.unit_of_work(actor="test") as session:
            variant = service.default_variant(session, new_product(session, clock).id)
            for amount in (60_000, 55_000, 55_000, 70_000):
                clock.advance(timedelta(days=1))
                service.set_price(session, variant_id=variant.id, amount_minor=amount, currency="INR", now=clock.now())
            history = service.price_history(session, variant_id=variant.id)
            assert [price.amount_minor for price in history] == [50_000, 60_000, 55_000, 70_000]
            for earlier, later in itertools.pairwise(history):
                assert earlier.valid_to == later.valid_from
            assert history[-1].valid_to is None

    def test_two_changes_in_one_moment_leave_one_price(self, database: Database, clock: ManualClock) -> None:
        with database.unit_of_work(actor="test") as session:
            variant = service.default_variant(session, new_product(session, clock).id)
            service.set_price(session, variant_id=variant.id, amount_minor=1, currency="INR", now=clock.now())
            assert [p.amount_minor for p in service.price_history(session, variant_id=variant.id)] == [1]

    def test_a_change_from_the_past_is_refused(self, database: Database, clock: ManualClock) -> None:
        with database.unit_of_work(actor="test") as session:
            variant = service.default_variant(session, new_product(session, clock).id)
            with pytest.raises(Conflict):
                service.set_price(
                    session,
                    variant_id=variant.id,
                    amount_minor=1,
                    currency="INR",
                    now=clock.now() - timedelta(seconds=1),
                )

    def test_currencies_and_channels_have_prices_of_their_own(self, database: Database, clock: ManualClock) -> None:
        with database.unit_of_work(actor="test") as session:
            variant = service.default_variant(session, new_product(session, clock).id)
            service.set_price(session, variant_id=variant.id, amount_minor=999, currency="GBP", now=clock.now())
            assert price_of(session, variant.id, clock) == 50_000
            pounds = service.buyable_variants(session, [variant.id], currency="GBP", now=clock.now())
            assert pounds[variant.id].price_minor == 999
            assert not service.buyable_variants(session, [variant.id], currency="USD", now=clock.now())

    def test_the_price_of_an_earlier_moment_can_still_be_asked(self, database: Database, clock: ManualClock) -> None:
        with database.unit_of_work(actor="test") as session:
            variant = service.default_variant(session, new_product(session, clock).id)
            before = clock.now()
            clock.advance(timedelta(days=3))
            service.set_price(session, variant_id=variant.id, amount_minor=1_000, currency="INR", now=clock.now())
            then = service.buyable_variants(session, [variant.id], currency="INR", now=before)
            assert then[variant.id].price_minor == 50_000
            assert price_of(session, variant.id, clock) == 1_000

    def test_the_lowest_price_of_thirty_days(self, database: Database, clock: ManualClock) -> None:
        with database.unit_of_work(actor="test") as session:
            variant = service.default_variant(session, new_product(session, clock).id)
            for days, amount in ((1, 20_000), (2, 80_000), (29, 90_000)):
                clock.advance(timedelta(days=days))
                service.set_price(session, variant_id=variant.id, amount_minor=amount, currency="INR", now=clock.now())

            def lowest() -> int | None:
                return service.lowest_price_minor(session, variant_id=variant.id, currency="INR", now=clock.now())

            assert lowest() == 20_000, "it was in force until 29 days ago"
            clock.advance(timedelta(days=2))
            assert lowest() == 80_000
            clock.advance(timedelta(days=40))
            assert lowest() == 90_000

    def test_refusals(self, database: Database, clock: ManualClock) -> None:
        with database.unit_of_work(actor="test") as session:
            variant = service.default_variant(session, new_product(session, clock).id)
            with pytest.raises(InvalidInput):
                service.set_price(session, variant_id=variant.id, amount_minor=-1, currency="INR", now=clock.now())
            with pytest.raises(NotFound):
                service.set_price(session, variant_id=99, amount_minor=1, currency="INR", now=clock.now())


class TestTiers:
    def test_the_rule_follows_the_price_until_somebody_decides(self, database: Database, clock: ManualClock) -> None:
        with database.unit_of_work(actor="test") as session:
            product = new_product(session, clock)
            variant = service.default_variant(session, product.id)
            assert (product.gift_tier, product.gift_tier_source) == (GiftTier.BUDGET, "rule")
            clock.advance(timedelta(days=1))
            service.set_price(session, variant_id=variant.id, amount_minor=150_000, currency="INR", now=clock.now())
            assert product.gift_tier is GiftTier.PREMIUM
            service.set_tier(session, product_id=product.id, tier=GiftTier.BUDGET, now=clock.now())
            clock.advance(timedelta(days=1))
            service.set_price(session, variant_id=variant.id, amount_minor=900_000, currency="INR", now=clock.now())
            assert (product.gift_tier, product.gift_tier_source) == (GiftTier.BUDGET, "admin")
            service.set_tier(session, product_id=product.id, tier=None, now=clock.now())
            assert (product.gift_tier, product.gift_tier_source) == (GiftTier.PREMIUM, "rule")

    @pytest.mark.parametrize(
        ("amount", "currency", "tier"),
        [
            (149_999, "INR", GiftTier.BUDGET),
            (150_000, "INR", GiftTier.PREMIUM),
            (19, "JPY", GiftTier.BUDGET),
            (20, "JPY", GiftTier.PREMIUM),
            (2_000, "AUD", GiftTier.PREMIUM),
        ],
    )
    def test_thresholds(self, amount: int, currency: str, tier: GiftTier) -> None:
        assert tier_of_price(amount, currency) is tier


class TestBuyable:
    def test_only_what_is_active_and_priced(self, database: Database, clock: ManualClock) -> None:
        with database.unit_of_work(actor="test") as session:
            product = new_product(session, clock)
            sold = service.default_variant(session, product.id)
            unpriced = service.add_variant(session, product_id=product.id, sku="LAMP-2", name="large")
            wanted = [sold.id, unpriced.id, 12345]
            found = service.buyable_variants(session, wanted, currency="INR", now=clock.now())
            assert set(found) == {sold.id}
            assert found[sold.id].title == "Gift LAMP-1"
            service.deactivate_product(session, product_id=product.id, now=clock.now())
            service.deactivate_product(session, product_id=product.id, now=clock.now())
            assert not service.buyable_variants(session, wanted, currency="INR", now=clock.now())
            assert not service.list_products(session, filters=ProductFilter(), currency="INR", now=clock.now())

    def test_a_used_sku_is_refused_and_nothing_is_left_behind(self, database: Database, clock: ManualClock) -> None:
        with database.unit_of_work(actor="test") as session:
            new_product(session, clock)
        with pytest.raises(Conflict, match="LAMP-1"), database.unit_of_work(actor="test") as session:
            new_product(session, clock, name="Another lamp")
        with database.read() as session:
            assert len(service.newest_product_ids(session, limit=10)) == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": "  "},
            {"sku": " "},
            {"tax_rate_bp": 10_001},
            {"weight_grams": -1},
            {"price_minor": -5},
            {"hsn_code": "69"},
        ],
    )
    def test_bad_figures_are_refused(self, database: Database, clock: ManualClock, changes: dict[str, object]) -> None:
        with pytest.raises(InvalidInput), database.unit_of_work(actor="test") as session:
            new_product(session, clock, **{"sku": "X-1", **changes})  # type: ignore[arg-type]

    def test_unknown_category_and_occasion_are_refused(self, database: Database, clock: ManualClock) -> None:
        with pytest.raises(NotFound), database.unit_of_work(actor="test") as session:
            new_product(session, clock, category_id=9)
        with pytest.raises(NotFound, match="halloween"), database.unit_of_work(actor="test") as session:
            new_product(session, clock, occasions=["halloween"])


class TestListing:
    def names(self, session: Session, clock: ManualClock, **filters: object) -> list[str]:
        chosen = ProductFilter(**filters)  # type: ignore[arg-type]
        listed = service.list_products(session, filters=chosen, currency="INR", now=clock.now())
        return [entry.product.name for entry in listed]

    def test_filters(self, database: Database, clock: ManualClock) -> None:
        with database.unit_of_work(actor="test") as session:
            root = service.create_category(session, name="Festivals")
            child = service.create_category(session, name="Diwali", parent_id=root.id)
            service.create_occasion(session, key="diwali", name="Diwali")
            new_product(session, clock, "1", name="Brass lamp", category_id=child.id, occasions=["diwali"])
            new_product(session, clock, "2", name="100% silk scarf", category_id=root.id, price_minor=200_000)
            new_product(
                session, clock, "3", name="Ünïque mug", description="holds tea", category_id=root.id, price_minor=10_000
            )
            assert self.names(session, clock, category_id=child.id) == ["Brass lamp"]
            assert len(self.names(session, clock, category_id=root.id)) == 3
            assert self.names(session, clock, occasion="diwali") == ["Brass lamp"]
            assert self.names(session, clock, tier=GiftTier.PREMIUM) == ["100% silk scarf"]
            assert self.names(session, clock, price_min=10_000, price_max=50_000) == ["Brass lamp", "Ünïque mug"]
            assert self.names(session, clock, text="TEA mug") == ["Ünïque mug"]
            assert self.names(session, clock, text="%") == ["100% silk scarf"], "a wildcard is a plain character"
            assert self.names(session, clock, category_id=404) == []

    def test_pages_follow_each_other(self, database: Database, clock: ManualClock) -> None:
        with database.unit_of_work(actor="test") as session:
            ids = [new_product(session, clock, str(n)).id for n in range(5)]
            seen: list[int] = []
            while page := service.list_products(
                session,
                filters=ProductFilter(),
                currency="INR",
                now=clock.now(),
                after_id=seen[-1] if seen else 0,
                limit=2,
            ):
                seen += [entry.product.id for entry in page]
            assert seen == ids
