"""The shop's own row."""

from pathlib import Path

import pytest

from tests.support.web import make_client, settings_in
from transactional.core.db import make_engine
from transactional.core.models import ShopProfile
from transactional.core.profile import Profile, as_founded, ensure_profile, read_profile
from transactional.core.uow import Database


def test_a_shop_is_founded_once(any_database: Database, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    now = any_database.clock.now()
    with any_database.unit_of_work(actor="test") as session:
        other = settings.model_copy(update={"base_currency": "EUR"})
        assert read_profile(session, other).base_currency == "EUR"  # nothing is fixed yet
        first = ensure_profile(session, settings, now=now)
        assert first == Profile("My Little Things", "INR", "Asia/Kolkata")
        assert ensure_profile(session, other, now=now) == read_profile(session, other) == first


@pytest.mark.slow
def test_the_row_wins_over_the_settings(database: Database, tmp_path: Path) -> None:
    founded = {"name": "Lamp & Co", "base_currency": "GBP", "time_zone": "Europe/London"}
    with database.unit_of_work(actor="import") as session:
        session.add(ShopProfile(id=1, created_at=database.clock.now(), **founded))
    client = make_client(database, tmp_path)
    shop = client.app.state.shop  # type: ignore[attr-defined]
    assert (shop.settings.base_currency, shop.settings.time_zone) == ("GBP", "Europe/London")
    assert client.get("/openapi.json").json()["info"]["title"].startswith("Lamp & Co")


@pytest.mark.parametrize("url", ["sqlite://", "postgresql://nobody@127.0.0.1:1/none"])
def test_a_database_without_answer_leaves_the_settings(tmp_path: Path, url: str) -> None:
    settings = settings_in(tmp_path)
    assert as_founded(settings, Database(make_engine(url))) == settings
