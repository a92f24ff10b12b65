"""What a request finds around it: the shop's settings, database and clock, put there once by `create_app`.

Dependencies that do not wait are `async def`: they run where the request is, without a trip to the thread pool. They
take the request itself instead of one another: the framework resolves each link of a chain anew for every request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, FastAPI, Request

from transactional.core.clock import Clock
from transactional.core.metrics import Metrics
from transactional.core.ratelimit import RateLimiter
from transactional.core.security import PasswordHasher, TokenSigner
from transactional.core.uow import Database
from transactional.settings import Settings

if TYPE_CHECKING:
    from transactional.core.access import Actor


@dataclass(frozen=True)
class Shop:
    """Everything of one running shop that outlives a request."""

    settings: Settings
    database: Database
    authenticate: "Callable[[str], Actor]"
    """Turns a bearer token into whoever holds it; raises Unauthenticated."""
    signer: TokenSigner
    hasher: PasswordHasher
    limiter: RateLimiter
    metrics: Metrics


def install_shop(app: FastAPI, shop: Shop) -> None:
    """Let the app's requests find this shop."""
    app.state.shop = shop


def shop_of(request: Request) -> Shop:
    """The shop that this request came to."""
    shop = request.app.state.shop
    assert isinstance(shop, Shop)
    return shop


async def get_shop(request: Request) -> Shop:
    """The shop, as a dependency."""
    return shop_of(request)


ShopDep = Annotated[Shop, Depends(get_shop)]


async def get_database(request: Request) -> Database:
    """The shop's database, for handlers that need several transactions."""
    return shop_of(request).database


async def get_app_settings(request: Request) -> Settings:
    """The settings that the app was made with."""
    return shop_of(request).settings


async def get_clock(request: Request) -> Clock:
    """The shop's clock."""
    return shop_of(request).database.clock


DatabaseDep = Annotated[Database, Depends(get_database)]
SettingsDep = Annotated[Settings, Depends(get_app_settings)]
ClockDep = Annotated[Clock, Depends(get_clock)]
