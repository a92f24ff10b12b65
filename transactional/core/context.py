"""What a request finds around it: the shop's settings, database and clock, put there once by `create_app`.

Dependencies that do not wait are `async def`: they run where the request is, without a trip to the thread pool.
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


async def get_shop(request: Request) -> Shop:
    """The shop that this request came to."""
    shop = request.app.state.shop
    assert isinstance(shop, Shop)
    return shop


ShopDep = Annotated[Shop, Depends(get_shop)]


async def get_database(shop: ShopDep) -> Database:
    """The shop's database, for handlers that need several transactions."""
    return shop.database


async def get_app_settings(shop: ShopDep) -> Settings:
    """The settings that the app was made with."""
    return shop.settings


async def get_clock(shop: ShopDep) -> Clock:
    """The shop's clock."""
    return shop.database.clock


DatabaseDep = Annotated[Database, Depends(get_database)]
SettingsDep = Annotated[Settings, Depends(get_app_settings)]
ClockDep = Annotated[Clock, Depends(get_clock)]
