"""The shop as an ASGI application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from transactional import wiring
from transactional.core.bodylimit import BodyLimitMiddleware
from transactional.core.context import Shop, install_shop
from transactional.core.db import make_engine
from transactional.core.logging import RequestLogMiddleware, configure_logging
from transactional.core.metrics import Metrics
from transactional.core.openapi import install_openapi
from transactional.core.problems import install_problem_handlers, problem_responses
from transactional.core.profile import as_founded
from transactional.core.ratelimit import RateLimiter
from transactional.core.security import PasswordHasher, TokenSigner, jwt_secret
from transactional.core.uow import Database
from transactional.core.worker import Worker
from transactional.routers import ROUTERS
from transactional.settings import Settings, get_settings
from transactional.staff.service import Authenticator

_DESCRIPTION = """
The shop's own API. Amounts are integers in the currency's minor unit (paise, pence); times are UTC. Errors are
RFC 9457 problem documents. A POST that creates or charges takes an `Idempotency-Key`: send the same key again and you
get the first answer again.
"""


def create_app(settings: Settings | None = None, database: Database | None = None) -> FastAPI:
    """Build the app. Without a database it opens the one of the settings and runs the worker (`worker_in_process`).

    A database that is handed in stays the caller's: it is not closed, and no worker starts on it.
    """
    settings = settings or get_settings()
    configure_logging(level=settings.log_level, json=settings.log_json)
    wiring.wire()
    own = database is None
    database = database or Database(make_engine(settings.database_url))
    settings = as_founded(settings, database)
    shop = _open_shop(settings, database)
    app = FastAPI(
        title=f"{settings.shop_name} – shop",
        version="0.1.0",
        description=_DESCRIPTION,
        lifespan=_lifespan(database, own=own, worker=own and settings.worker_in_process),
        docs_url="/docs",
        redoc_url=None,
    )
    install_shop(app, shop)
    install_problem_handlers(app)
    for router in ROUTERS:
        app.include_router(router, responses=problem_responses(500, 503))
    install_openapi(app)
    app.add_middleware(BodyLimitMiddleware)
    app.add_middleware(RequestLogMiddleware, metrics=shop.metrics)
    return app


def _open_shop(settings: Settings, database: Database) -> Shop:
    signer = TokenSigner(jwt_secret(settings), lifetime=timedelta(minutes=settings.access_token_minutes))
    return Shop(
        settings=settings,
        database=database,
        authenticate=Authenticator(database, signer),
        signer=signer,
        hasher=PasswordHasher(),
        limiter=RateLimiter(),
        metrics=Metrics(database),
    )


def _lifespan(database: Database, *, own: bool, worker: bool) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running = Worker(database) if worker else None
        if running is not None:
            running.start()
        try:
            yield
        finally:
            if running is not None:
                running.stop()
            if own:
                database.engine.dispose()

    return lifespan
