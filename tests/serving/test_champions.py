"""Champions from a real MLflow store: taken up, replaced without a restart, refused when broken."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient
from mlflow import MlflowClient

from models_ml.artifacts import MODEL_FILE, save
from models_ml.recommend.buy_again import BuyAgainRecommender
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.popularity import PopularityRecommender
from models_ml.recommend.similar import SimilarRecommender
from models_ml.recommend.together import TogetherRecommender
from serving.schemas import Answer, Question
from serving.settings import Settings
from serving.shelves import answer
from serving.state import Keeper
from tests.serving.snapshots import AS_OF, LINES, PRODUCTS, publish
from tests.serving.test_app import wait_until


class Store:
    """An MLflow store that this test writes to, as training does."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.published.parent / "mlflow"
        self.client = MlflowClient(tracking_uri=settings.mlflow_uri, registry_uri=settings.mlflow_uri)
        self._experiment = self.client.create_experiment("tests", artifact_location=str(self._folder / "artifacts"))

    def promote(self, name: str, model: Any) -> str:
        """Log, register and crown a model; gives its version."""
        run = self.client.create_run(self._experiment)
        folder = save(model, self._folder / "tmp" / run.info.run_id)
        self.client.log_artifacts(run.info.run_id, str(folder), "model")
        if not any(known.name == name for known in self.client.search_registered_models()):
            self.client.create_registered_model(name)
        version = self.client.create_model_version(name, f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
        self.crown(name, version.version)
        return str(version.version)

    def crown(self, name: str, version: str) -> None:
        """Move the alias."""
        self.client.set_registered_model_alias(name, "champion", version)

    def artifact(self, name: str, version: str) -> Path:
        """Where a version's files lie."""
        return Path(self.client.get_model_version_download_uri(name, version))


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initialised store: making one takes seconds, copying it does not."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    uri = f"sqlite:///{file}"
    MlflowClient(tracking_uri=uri, registry_uri=uri).search_registered_models()
    return file


@pytest.fixture
def store(settings: Settings, empty_store: Path) -> Store:
    shutil.copy(empty_store, settings.mlflow_uri.removeprefix("sqlite:///"))
    return Store(settings)


def interactions(lines: tuple[tuple[int, int | None, int, float], ...] = LINES) -> Interactions:
    frame = pl.DataFrame(
        [(order, customer, product, AS_OF - timedelta(days=age)) for order, customer, product, age in lines],
        schema={
            "order_id": pl.Int64,
            "customer_id": pl.Int64,
            "product_id": pl.Int64,
            "placed_at": pl.Datetime("us"),
        },
        orient="row",
    )
    return Interactions.from_lines(frame, AS_OF)


def ask(keeper: Keeper, **question: Any) -> Answer:
    return answer(keeper.state, Question.model_validate(question))


def shelf(found: Answer, name: str) -> Any:
    return next(shelf for shelf in found.shelves if shelf.shelf == name)


def test_a_store_that_does_not_exist_is_not_created(keeper: Keeper, small_shop: Settings) -> None:
    keeper.refresh()
    assert keeper.state.champions == {}
    assert not keeper.state.problems
    assert not Path(small_shop.mlflow_uri.removeprefix("sqlite:///")).exists()


def test_champions_answer_with_name_version_build_and_true_reasons(
    keeper: Keeper, small_shop: Settings, store: Store
) -> None:
    learned = interactions()
    store.promote("buy_again", BuyAgainRecommender().fit(learned))
    store.promote("bought_together", TogetherRecommender({"minimum_count": 1}).fit(learned))
    keeper.refresh()
    home = ask(keeper, slot="home", customer_id=11)
    again = shelf(home, "buy_again")
    assert (again.model, again.version, again.source, again.build_id) == ("buy_again", "1", "model", "build-1")
    assert {item.product_id for item in again.items} == {1, 2, 5}, "only what this shopper bought before"
    assert again.items[0].reason == "You bought it once, last on 14 January 2026"
    page = ask(keeper, slot="product", product_id=2)
    together = shelf(page, "bought_together")
    assert together.items[0].reason == "In 1 of 1 orders with “Clay diya”"
    assert together.items[0].because.model_dump(exclude_none=True) == {
        "kind": "bought_together",
        "product_id": 2,
        "count": 1,
        "total": 1,
    }


@pytest.mark.slow
def test_a_new_champion_is_taken_up_without_a_restart(small_shop: Settings, store: Store, client: TestClient) -> None:
    def version_in_use() -> str | None:
        ready = client.get("/ready")
        return ready.json()["models"].get("buy_again")

    first = store.promote("buy_again", BuyAgainRecommender().fit(interactions()))
    wait_until(lambda: version_in_use() == first)
    second = store.promote("buy_again", BuyAgainRecommender({"half_life_days": 30}).fit(interactions()))
    wait_until(lambda: version_in_use() == second)
    store.crown("buy_again", first)
    wait_until(lambda: version_in_use() == first)


def test_a_champion_that_loses_its_crown_answers_no_more(keeper: Keeper, small_shop: Settings, store: Store) -> None:
    store.promote("buy_again", BuyAgainRecommender().fit(interactions()))
    keeper.refresh()
    assert "buy_again" in keeper.state.champions
    store.client.delete_registered_model_alias("buy_again", "champion")
    keeper.refresh()
    assert "buy_again" not in keeper.state.champions


def test_a_broken_challenger_leaves_the_old_champion_in_place(
    keeper: Keeper, small_shop: Settings, store: Store
) -> None:
    store.promote("popularity", PopularityRecommender().fit(interactions()))
    keeper.refresh()
    broken = store.promote("popularity", PopularityRecommender().fit(interactions()))
    (store.artifact("popularity", broken) / MODEL_FILE).write_text("{", encoding="utf-8")
    keeper.refresh()
    assert keeper.state.champions["popularity"].version == "1"
    assert "popularity 2" in keeper.state.problems["popularity"]
    save(PopularityRecommender().fit(interactions()), store.artifact("popularity", broken))
    keeper.refresh()
    assert keeper.state.champions["popularity"].version == "2", "what could not be loaded is tried again"
    assert not keeper.state.problems


def test_something_that_is_no_recommender_is_refused(keeper: Keeper, small_shop: Settings, store: Store) -> None:
    version = store.promote("similar", SimilarRecommender().fit(interactions()))
    document = store.artifact("similar", version) / MODEL_FILE
    document.write_text(document.read_text("utf-8").replace('"similar"', '"no such kind"'), encoding="utf-8")
    keeper.refresh()
    assert "no such kind" in keeper.state.problems["similar"]
    assert shelf(ask(keeper, slot="product", product_id=1), "similar").source == "snapshot"


def test_an_unreadable_store_keeps_what_is_in_memory(keeper: Keeper, small_shop: Settings, store: Store) -> None:
    store.promote("popularity", PopularityRecommender().fit(interactions()))
    keeper.refresh()
    file = Path(small_shop.mlflow_uri.removeprefix("sqlite:///"))
    file.write_bytes(b"not a database " * 200)
    keeper.refresh()
    assert keeper.state.champions["popularity"].version == "1"
    assert "registry" in keeper.state.problems


def test_models_never_bring_back_what_the_snapshot_withdrew(keeper: Keeper, small_shop: Settings, store: Store) -> None:
    store.promote("popularity", PopularityRecommender().fit(interactions()))
    store.promote("discover", PopularityRecommender().fit(interactions()))
    store.promote("buy_again", BuyAgainRecommender().fit(interactions()))
    keeper.refresh()
    for customer in (11, 12, 14, 999):
        for found in ask(keeper, slot="home", customer_id=customer).shelves:
            ids = [item.product_id for item in found.items]
            assert 4 not in ids
            assert len(ids) == len(set(ids))


def test_a_look_is_not_called_a_purchase(keeper: Keeper, small_shop: Settings, store: Store) -> None:
    from models_ml.recommend.item_item import ItemItemRecommender

    pairs = tuple((300 + n, 30 + n, product, 5.0) for n in range(6) for product in (1, 3))
    store.promote("discover", ItemItemRecommender().fit(interactions((*LINES, *pairs))))
    keeper.refresh()
    looked = ask(keeper, slot="home", events=[{"product_id": 1, "kind": "view"}])
    first = shelf(looked, "discover").items[0]
    assert first.product_id == 3
    assert first.reason == "Because you looked at “Brass lamp”"
    assert first.because.kind == "because_you_viewed"
    bought = ask(keeper, slot="home", purchases=[{"product_id": 1}])
    assert shelf(bought, "discover").items[0].reason == "Because you bought “Brass lamp”"


def test_discover_is_filled_up_from_popularity_and_says_so(keeper: Keeper, small_shop: Settings, store: Store) -> None:
    from models_ml.recommend.item_item import ItemItemRecommender

    store.promote("discover", ItemItemRecommender().fit(interactions()))
    keeper.refresh()
    discover = shelf(ask(keeper, slot="home", purchases=[{"product_id": 2}]), "discover")
    assert discover.source == "model+popularity"
    kinds = [item.because.kind for item in discover.items]
    assert kinds[0] == "because_you_bought"
    assert kinds[-1] == "popular"


@pytest.mark.slow
def test_a_newer_snapshot_changes_what_old_champions_may_show(
    keeper: Keeper, small_shop: Settings, store: Store
) -> None:
    store.promote("popularity", PopularityRecommender().fit(interactions()))
    keeper.refresh()
    withdrawn = [(i, name, category, i != 1) for i, name, category, _ in PRODUCTS]
    publish(small_shop.published, "build-2", products=withdrawn, lines=LINES)
    keeper.refresh()
    discover = shelf(ask(keeper, slot="home"), "discover")
    assert discover.build_id == "build-2"
    assert 1 not in [item.product_id for item in discover.items]
