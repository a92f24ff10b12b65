"""A shop whose customers have points already gets tiers, running sums and the days of what was earned."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from transactional.core.db import make_engine
from transactional.schema import migrate

_BEFORE = "0010"
_AT = "'2026-01-01 00:00:00'"
_LATER = "'2026-02-01 00:00:00'"

_ROWS = f"""
INSERT INTO customers (id, source, acquisition_channel, marketing_consent, is_guest, created_at)
VALUES (1, 'shop', 'web', false, false, {_AT});
INSERT INTO loyalty_programmes (id, version, earn_per_unit_minor, value_per_point_minor, min_redeem_points,
    max_share_bp, activation_days, expiry_days, restore_grace_days, valid_from)
VALUES (1, 1, 10000, 100, 1, 5000, 14, 365, 30, {_AT}), (2, 2, 5000, 100, 1, 5000, 14, 365, 30, {_LATER});
INSERT INTO point_lots (id, customer_id, programme_id, source, state, amount, remaining, earned_at, available_at,
    expires_at)
VALUES (1, 1, 1, 'order', 'active', 20, 3, {_AT}, {_AT}, {_LATER});
INSERT INTO point_entries (id, customer_id, lot_id, kind, points, actor, reason, occurred_at) VALUES
    (1, 1, 1, 'earn', 20, 'shop', '', {_AT}), (2, 1, NULL, 'hold', -9, 'shop', '', {_AT}),
    (3, 1, NULL, 'capture', 0, 'shop', '', {_AT}), (4, 1, 1, 'reverse', -5, 'shop', '', {_LATER}),
    (5, 1, 1, 'expire', -3, 'shop', '', {_LATER});
INSERT INTO point_consumptions (lot_id, entry_id, amount) VALUES (1, 2, 9), (1, 4, 5), (1, 5, 3);
INSERT INTO point_balances (customer_id, active, pending, held, owed) VALUES (1, 3, 0, 0, 0);
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without a single table."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("pg_url")
        plain = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with plain.connect() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        plain.dispose()
    engine = make_engine(url)
    yield engine
    engine.dispose()


def test_points_of_before_get_their_sums_days_and_tiers(empty: Engine) -> None:
    migrate(empty, _BEFORE)
    with empty.begin() as connection:
        for statement in _ROWS.split(";"):
            if statement.strip():
                connection.execute(text(statement))
    migrate(empty)
    with empty.connect() as connection:
        sums = "SELECT active, spent, expired, reversed, shortfall, owed_promotional FROM point_balances"
        assert connection.execute(text(sums)).one() == (3, 9, 3, 5, 0, 0)
        counted = "SELECT kind, qualifying, wallet FROM point_entries WHERE qualifying_at IS NOT NULL ORDER BY id"
        assert connection.execute(text(counted)).all() == [("earn", 20, "earned"), ("reverse", -5, "earned")]
        same_day = "SELECT count(*) FROM point_entries e JOIN point_lots l ON e.qualifying_at = l.earned_at"
        assert connection.execute(text(same_day)).scalar() == 2
        late = "SELECT count(*) FROM point_consumptions c JOIN point_entries e ON e.id = c.entry_id"
        assert connection.execute(text(f"{late} WHERE c.occurred_at = e.occurred_at")).scalar() == 3
        tiers = "SELECT programme_id, rank, name, multiplier_bp FROM loyalty_tiers ORDER BY rank"
        assert connection.execute(text(tiers)).all() == [
            (1, 0, "Bronze", 10_000),
            (1, 1, "Silver", 10_000),
            (1, 2, "Gold", 10_000),
            (1, 3, "Platinum", 10_000),
        ]
        kept = "SELECT wallet, multiplier_bp FROM point_lots"
        assert connection.execute(text(kept)).one() == ("earned", 10_000)
