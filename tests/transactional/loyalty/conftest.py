"""What tests of points share: rules that differ from the first version's, and looks into the tables."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from transactional.loyalty import service
from transactional.loyalty.models import LoyaltyTier, PointLot

Rules = Callable[..., None]


@pytest.fixture
def rules(kit: TradeKit) -> Rules:
    """Changes the version in force; `tiers` maps names to changes of that tier."""

    def change(*, tiers: dict[str, dict[str, Any]] | None = None, **changes: Any) -> None:
        def work(session: Session) -> None:
            programme = service.ensure_programme(session, now=kit.now)
            for name, value in changes.items():
                setattr(programme, name, value)
            for row in session.scalars(select(LoyaltyTier).where(LoyaltyTier.programme_id == programme.id)):
                for name, value in (tiers or {}).get(row.name, {}).items():
                    setattr(row, name, value)

        kit.run(work)

    return change


@pytest.fixture
def lots(kit: TradeKit) -> Callable[[], list[PointLot]]:
    """Every lot, oldest first."""

    def read() -> list[PointLot]:
        with kit.database.read() as session:
            return list(session.scalars(select(PointLot).order_by(PointLot.id)))

    return read


@pytest.fixture
def template(_sqlite_template: Path) -> Path:
    """An empty, migrated shop to copy for each sequence of a machine."""
    return _sqlite_template
