"""A shop on PostgreSQL that pays through Razorpay's stand-in over HTTP, and a twin of its process that is killed."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.support.trade import TradeKit
from tests.support.web import make_client, settings_in
from tests.transactional.crash.fuse import VICTIM
from tests.transactional.crash.papers import Papers
from tests.transactional.crash.scene import Scene
from tests.transactional.payments.till import SECRET
from transactional import wiring
from transactional.app import create_app
from transactional.core import outbox
from transactional.core.clock import ManualClock
from transactional.core.db import make_engine
from transactional.core.uow import Database
from transactional.documents import events
from transactional.payments import service as payments
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.server import running
from transactional.settings import get_settings


@pytest.fixture
def _own_var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Mails of the worker land in the test's own folder."""
    monkeypatch.setenv("MLT_VAR", str(tmp_path / "var"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def scene(
    pg_url: str,
    pg_database: Database,
    clock: ManualClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    _own_var: None,
) -> Iterator[Scene]:
    """The shop with one gift, a customer who has points, and a coupon."""
    wiring.wire()
    standin = Gateway(StandInConfig(), clock=clock)
    # Events queue up and are handed over by the tests themselves.
    standin.deliveries.set_webhook("http://shop.invalid/v1/webhooks/razorpay", SECRET)
    standin.deliveries.hold()
    separator = "&" if "?" in pg_url else "?"
    doomed = Database(make_engine(f"{pg_url}{separator}application_name={VICTIM}"), clock)
    # What follows an order's steps is work of its own and dies its own deaths: see `papers`.
    followers = dict(outbox._followers)
    monkeypatch.setattr(outbox, "_followers", {})
    with running(standin) as server:
        scene = Scene(pg_url, TradeKit(pg_database), clock, standin, server.url, doomed)
        scene.stock_up()
        with payments.gateway_in_use(scene.new_gateway()), make_client(pg_database, tmp_path) as client:
            scene.client = client
            scene.followers = followers
            # Made last: logging is the process's, and a victim that fails by itself should say why.
            loud = settings_in(tmp_path).model_copy(update={"log_level": "ERROR"})
            scene.doomed_client = TestClient(create_app(loud, doomed))
            scene.log_in()
            doomed.engine.dispose()
            gc.collect()
            gc.freeze()  # forks share what the collector leaves alone
            yield scene
            gc.unfreeze()
    doomed.engine.dispose()


@pytest.fixture
def papers(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Papers:
    """The same shop with those who write its documents."""
    writers = {
        topic: [follower for follower in followers if follower.__module__ == events.__name__]
        for topic, followers in scene.followers.items()
    }
    monkeypatch.setattr(outbox, "_followers", writers)
    return Papers(scene)
