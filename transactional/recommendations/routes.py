"""Recommendations over HTTP: gather, ask serving between two transactions, show what can be bought."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path, Query

from transactional.core.access import OptionalActor, public
from transactional.core.deps import DatabaseDep, SettingsDep
from transactional.core.problems import problem_responses
from transactional.core.uow import Database
from transactional.recommendations import service
from transactional.recommendations.schemas import RecommendationsOut, ShelfOut
from transactional.recommendations.serving_client import NoAnswer, ServingClient, client_for
from transactional.settings import Settings

router = APIRouter(prefix="/v1/recommendations", tags=["recommendations"])

log = structlog.stdlib.get_logger("transactional.recommendations")

EVERYBODY = [Depends(public())]
NOTHING_LEFT = "nothing of what was recommended can be bought at this moment"


def serving_client(settings: SettingsDep) -> ServingClient:
    """The client of the serving process that the settings name."""
    return client_for(settings.serving_url, settings.serving_budget_ms)


class Asking:
    """What every operation needs to give recommendations: who asks, whom to ask, and the shop's own word."""

    def __init__(
        self,
        *,
        database: DatabaseDep,
        settings: SettingsDep,
        actor: OptionalActor,
        client: Annotated[ServingClient, Depends(serving_client)],
        k: Annotated[int, Query(ge=1, le=50, description="Products a shelf")] = 10,
        visitor: Annotated[
            str | None,
            Query(min_length=8, max_length=64, description="The anonymous id of the behaviour events"),
        ] = None,
        cart: Annotated[str | None, Query(max_length=40, description="What lies in it is not shown")] = None,
    ) -> None:
        self._database: Database = database
        self._settings: Settings = settings
        self._customer_id = actor.customer_id
        self._client = client
        self._k = k
        self._visitor = visitor
        self._cart = cart

    def recommend(self, slot: service.Slot, *, product_id: int | None = None) -> RecommendationsOut:
        """Shelves for this shopper here. No transaction is open while serving is asked."""
        with self._database.read() as session:
            if product_id is not None:
                service.check_product(session, product_id)
            shopper = service.know_shopper(
                session, customer_id=self._customer_id, anonymous_id=self._visitor, cart_public_id=self._cart
            )
        hidden = shopper.in_cart | ({product_id} if product_id is not None else set())
        try:
            served = self._client.ask(service.question(slot, shopper, k=self._k, product_id=product_id))
        except NoAnswer as refusal:
            return self._fall_back(slot, hidden, str(refusal))
        with self._database.read() as session:
            chosen = service.select_buyable(session, served, hidden=hidden, **self._terms())
        log.info("recommended", slot=slot.value, build_id=served.build_id, removed=dict(chosen.removed))
        if not chosen.shelves:
            return self._fall_back(slot, hidden, NOTHING_LEFT)
        return RecommendationsOut(slot=slot, source="models", shelves=[ShelfOut.of(shelf) for shelf in chosen.shelves])

    def _fall_back(self, slot: service.Slot, hidden: frozenset[int], reason: str) -> RecommendationsOut:
        with self._database.read() as session:
            shelves = service.what_sells(session, hidden=hidden, **self._terms())
        log.warning("recommendations fell back", slot=slot.value, reason=reason)
        return RecommendationsOut(
            slot=slot, source="fallback", reason=reason, shelves=[ShelfOut.of(shelf) for shelf in shelves]
        )

    def _terms(self) -> service.Terms:
        return {
            "k": self._k,
            "currency": self._settings.base_currency,
            "now": self._database.clock.now(),
        }


AskingDep = Annotated[Asking, Depends(Asking)]


@router.get(
    "/home",
    summary="What to show on the front page",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404, 422),
)
def home(asking: AskingDep) -> RecommendationsOut:
    """New things for this shopper, what to buy again, what rises and what sells."""
    return asking.recommend(service.Slot.HOME)


@router.get(
    "/products/{product_id}",
    summary="What to show beside a product",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404, 422),
)
def beside_product(asking: AskingDep, product_id: Annotated[int, Path(ge=1, examples=[42])]) -> RecommendationsOut:
    """Similar products, and what is bought together with this one."""
    return asking.recommend(service.Slot.PRODUCT, product_id=product_id)


@router.get(
    "/shop", summary="What rises and what sells", dependencies=EVERYBODY, responses=problem_responses(401, 404, 422)
)
def shop(asking: AskingDep) -> RecommendationsOut:
    """The same for everybody, but for what lies in the cart."""
    return asking.recommend(service.Slot.SHOP)
