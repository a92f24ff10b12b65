"""A shop with single-code percentage coupons becomes one with versions of rules, and loses nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from tests.support.offers import rule
from transactional.core.clock import ManualClock
from transactional.core.db import make_engine
from transactional.core.uow import Database
from transactional.promotions import service
from transactional.promotions.service import Person
from transactional.schema import migrate

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
_BEFORE = "0011"

_PROMOTION = """
INSERT INTO promotions (id, name, version, kind, discount_class, percent_bp, max_discount_minor, min_spend_minor,
    priority, status, starts_at, ends_at)
VALUES (1, 'Ten', 3, 'percentage', 'order', 1000, 50000, 20000, 5, 'active', '2026-01-01 00:00:00', NULL),
    (2, 'Plain', 1, 'percentage', 'order', 500, NULL, 0, 0, 'paused', '2026-01-01 00:00:00', '2027-01-01 00:00:00')
"""
_CODES = """
INSERT INTO coupon_codes (id, promotion_id, code, usage_limit, per_customer_limit, used, frees_on_full_refund)
VALUES (1, 1, 'TEN', 5, 1, 1, {no}), (2, 2, 'PLAIN', NULL, NULL, 0, {no})
"""
_CUSTOMERS = """
INSERT INTO customers (id, email, email_key, acquisition_channel, marketing_consent, is_guest, source, created_at)
VALUES (1, 'A.sha+x@gmail.com', 'a.sha+x@gmail.com', 'direct', {no}, {yes}, 'shop', '2026-01-01 00:00:00')
"""
_CART = """
INSERT INTO carts (id, public_id, currency, channel, status, coupon_code, created_at, updated_at)
VALUES (1, 'cart_1', 'INR', 'web', 'open', 'TEN', '2026-01-01 00:00:00', '2026-01-02 00:00:00')
"""
_ORDERS = """
INSERT INTO orders (id, public_id, order_number, customer_id, email, status, payment_mode, channel, is_test, currency,
    gross_minor, discount_minor, points_redeemed, points_discount_minor, shipping_minor, wrap_minor, tax_minor,
    tax_included, total_minor, coupon_code, price_trace, ship_to, source, placed_at)
VALUES
    (1, 'ord_1', 'N1', 1, 'A.sha+x@gmail.com', 'paid', 'online', 'web', {no}, 'INR', 1000, 100, 0, 0, 0, 0, 0, {yes},
        900, 'TEN', '{{}}', '{{}}', 'shop', '2026-01-02 00:00:00'),
    (2, 'ord_2', 'N2', 1, NULL, 'expired', 'online', 'web', {no}, 'INR', 1000, 100, 0, 0, 0, 0, 0, {yes},
        900, 'TEN', '{{}}', '{{}}', 'shop', '2026-01-02 00:00:00')
"""
_REDEMPTIONS = """
INSERT INTO coupon_redemptions (id, code_id, promotion_id, order_id, customer_id, identity_key, slot, state,
    discount_minor, reserved_at)
VALUES (1, 1, 1, 1, 1, 'asha@gmail.com', 1, 'redeemed', 100, '2026-01-02 00:00:00'),
    (2, 1, 1, 2, 1, 'asha@gmail.com', NULL, 'released', 100, '2026-01-02 00:00:00')
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def old_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A shop of before the versions, with two coupons, an order that used one, and one that gave it back."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("pg_url")
        admin = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        admin.dispose()
    engine = make_engine(url)
    migrate(engine, _BEFORE)
    yes, no = ("true", "false") if request.param == "postgres" else ("1", "0")
    with engine.begin() as connection:
        for statement in (_PROMOTION, _CODES, _CUSTOMERS, _CART, _ORDERS, _REDEMPTIONS):
            connection.execute(text(statement.format(yes=yes, no=no)))
    yield engine
    engine.dispose()


@pytest.mark.slow
def test_each_coupon_becomes_a_promotion_with_its_first_version(old_shop: Engine) -> None:
    migrate(old_shop)
    database = Database(old_shop, ManualClock(NOW))
    with database.read() as session:
        (version,) = service.versions_of(session, 1)
        (plain,) = service.versions_of(session, 2)
        wanted = rule("percentage", bp=1_000, cap_minor=50_000, conditions={"min_spend": {"amount_minor": 20_000}})
        assert (version.version, version.rule) == (3, wanted | {"priority": 5})
        assert plain.rule == rule("percentage", bp=500) | {"priority": 0}
        worth = service.evaluate(session, code="ten", merchandise_minor=100_000, now=NOW)
        assert (worth.discount_minor, worth.promotion_version) == (10_000, 3)
        assert service.evaluate(session, code="PLAIN", merchandise_minor=1, now=NOW).reason == "it is paused"


@pytest.mark.slow
def test_uses_carts_and_people_are_known_again(old_shop: Engine) -> None:
    migrate(old_shop)
    database = Database(old_shop, ManualClock(NOW))
    with database.read() as session:
        assert service.counter_discrepancies(session) == []
        for person in (Person(email="asha@gmail.com"), Person(customer_id=1)):
            offers = service.offers_for(session, codes=["TEN"], now=NOW, who=lambda known=person: known)
            assert [one.blocked for one in offers.candidates] == ["person_limit_reached"]
        (other,) = service.offers_for(
            session, codes=["TEN"], now=NOW, who=lambda: Person(email="ravi@example.com")
        ).candidates
        assert other.blocked is None
        keys = session.execute(text("SELECT identity_key FROM orders ORDER BY id")).scalars().all()
        assert keys == ["asha@gmail.com", None]
        assert session.execute(text("SELECT cart_id, code FROM cart_coupons")).all() == [(1, "TEN")]
