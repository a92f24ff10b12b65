"""What every recommender must keep: bans, order, reasons that are true, and the same answers after
loading."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml import artifacts
from models_ml.recommend.als import AlsRecommender
from models_ml.recommend.base import NotFittedError, ScoringRecommender
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.item_item import ItemItemRecommender
from models_ml.recommend.protocol import Event, Query, Recommender
from models_ml.recommend.reasons import ReasonKind
from models_ml.recommend.recipes import blend_recipe, make

LATE = datetime.fromisoformat("2030-01-01")
EASE = {"method": "ease", "regularisation": 20.0}
RECIPES = {
    "ease": ("item_item", EASE),
    "bm25": ("item_item", {"method": "bm25"}),
    "tfidf": ("item_item", {"method": "tfidf"}),
    "cosine": ("item_item", {"method": "cosine"}),
    "rp3beta": ("item_item", {"method": "rp3beta"}),
    "baskets": ("item_item", {**EASE, "rows": "baskets"}),
    "als": ("als", {"factors": 16, "regularisation": 1.0}),
    "buy_again": ("buy_again", {}),
    "bought_together": ("bought_together", {"minimum_count": 2}),
    "popularity": ("popularity", {}),
    "similar": ("similar", {}),
    "blend": (
        "blend",
        blend_recipe("blend", [("item_item", EASE, 1.0), ("popularity", {}, 0.2)]).settings,
    ),
}


@pytest.fixture(scope="module")
def known(lines: pl.DataFrame, as_of: datetime) -> Interactions:
    return Interactions.from_lines(lines, as_of)


@pytest.fixture(scope="module")
def models(known: Interactions) -> dict[str, ScoringRecommender]:
    return {name: make(kind, dict(s)).fit(known) for name, (kind, s) in RECIPES.items()}


@pytest.mark.parametrize("name", RECIPES)
def test_keeps_the_protocol_and_answers_the_same_after_loading(
    name: str, models: dict[str, ScoringRecommender], tmp_path: Path, as_of: datetime
) -> None:
    model = models[name]
    assert isinstance(model, Recommender)
    assert isinstance(model, artifacts.Model)
    loaded = artifacts.load(artifacts.save(model, tmp_path / name))
    query = Query(history=(Event(101, as_of - timedelta(days=40)), Event(103), Event(115)), basket=(101,))
    assert loaded.recommend(query, 10) == model.recommend(query, 10)
    assert loaded.settings == model.settings
    assert loaded.data_through == as_of


@pytest.mark.parametrize("name", RECIPES)
def test_fitting_again_gives_the_same_bytes(
    name: str, models: dict[str, ScoringRecommender], known: Interactions, tmp_path: Path
) -> None:
    kind, chosen = RECIPES[name]
    again = make(kind, dict(chosen)).fit(known)
    first, second = artifacts.save(models[name], tmp_path / "a"), artifacts.save(again, tmp_path / "b")
    files = (artifacts.MODEL_FILE, artifacts.ARRAYS_FILE)
    assert [(first / f).read_bytes() for f in files] == [(second / f).read_bytes() for f in files]


@pytest.mark.parametrize("name", RECIPES)
def test_the_future_changes_nothing(
    name: str, models: dict[str, ScoringRecommender], lines: pl.DataFrame, as_of: datetime, tmp_path: Path
) -> None:
    noise = lines.with_columns(
        pl.col("order_id") + 1_000_000, pl.col("product_id").reverse() + 7, pl.col("placed_at") + timedelta(days=601)
    ).filter(pl.col("placed_at") >= as_of)
    assert noise.height > 100
    kind, chosen = RECIPES[name]
    leaky = make(kind, dict(chosen)).fit(Interactions.from_lines(pl.concat([lines, noise]), as_of))
    arrays = leaky.to_state().arrays  # type: ignore[attr-defined]
    for key, array in models[name].to_state().arrays.items():  # type: ignore[attr-defined]
        assert np.array_equal(array, arrays[key]), key


@pytest.mark.parametrize("name", RECIPES)
def test_a_shown_items_reason_is_its_explanation(name: str, models: dict[str, ScoringRecommender]) -> None:
    query = Query(history=(Event(101), Event(112), Event(123)), basket=(131,), new_only=True)
    for shown in models[name].recommend(query, 8):
        assert models[name].explain(query, shown.item_id) == shown.reason


items_known = st.lists(st.integers(95, 145), max_size=8)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(RECIPES)),
    history=items_known,
    basket=items_known,
    exclude=items_known,
    candidates=st.none() | st.sets(st.integers(95, 145)),
    new_only=st.booleans(),
    k=st.integers(0, 60),
)
def test_never_a_forbidden_item(
    name: str,
    history: list[int],
    basket: list[int],
    exclude: list[int],
    candidates: set[int] | None,
    new_only: bool,
    k: int,
    models: dict[str, ScoringRecommender],
) -> None:
    query = Query(
        history=tuple(Event(i) for i in history),
        basket=tuple(basket),
        exclude=frozenset(exclude),
        candidates=None if candidates is None else frozenset(candidates),
        new_only=new_only,
    )
    model = models[name]
    shown = [r.item_id for r in model.recommend(query, k)]
    assert len(shown) == len(set(shown)) <= k
    assert not set(shown) & ({*exclude, *basket} | (set(history) if new_only else set()))
    assert candidates is None or set(shown) <= candidates
    scores = [r.score for r in model.recommend(query, k)]
    assert scores == sorted(scores, reverse=True)
    assert all(score > 0 for score in scores)
    if name in {"popularity", "buy_again"}:  # these score everything: a full list if candidates suffice
        free = set(model.items.ids.tolist()) - {*exclude, *basket} - (set(history) if new_only else set())
        assert len(shown) == min(k, len(free if candidates is None else free & candidates))


@pytest.mark.parametrize("name", ["ease", "bm25", "cosine", "als"])
def test_because_you_bought_names_the_item_whose_absence_costs_most(
    name: str, models: dict[str, ScoringRecommender]
) -> None:
    """Without the named item the score falls, and in the linear models by more than without any other."""
    model, bought = models[name], [101, 104, 112, 123]
    query = Query.of(bought, new_only=True)
    for shown in model.recommend(query, 5):
        position = model.items.position(shown.item_id)
        without = {item: model.scores(Query.of([i for i in bought if i != item]))[position] for item in bought}
        assert shown.reason.kind is ReasonKind.BECAUSE_YOU_BOUGHT
        assert without[shown.reason.item_id] < shown.score
        if name != "als":
            assert min(without, key=lambda item: without[item]) == shown.reason.item_id


@pytest.mark.parametrize("name", ["ease", "cosine", "als", "blend"])
def test_taste_is_found(name: str, models: dict[str, ScoringRecommender]) -> None:
    shown = [r.item_id for r in models[name].recommend(Query.of([101, 102, 103], new_only=True), 5)]
    assert sum(101 <= item <= 110 for item in shown) >= 4


def test_one_click_changes_the_answer_of_a_newcomer(models: dict[str, ScoringRecommender]) -> None:
    for name in ("ease", "als"):
        assert models[name].recommend(Query.of([]), 5) == []
        assert models[name].recommend(Query.of([131]), 5)


def test_als_folds_in_like_the_library(known: Interactions) -> None:
    from implicit.als import AlternatingLeastSquares

    model = AlsRecommender({"factors": 8, "alpha": 5.0, "regularisation": 0.5}).fit(known)
    library = AlternatingLeastSquares(factors=8, alpha=5.0, regularization=0.5, use_gpu=False, num_threads=1)
    library.item_factors = model._factors.astype(np.float32)
    X = known.customer_matrix().astype(np.float32)
    theirs = library.item_factors @ library.recalculate_user(0, X[0])
    ours = model.scores(Query.of(model.items.ids[X[0].indices].tolist()))
    assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-4)


def test_ease_is_the_closed_form(known: Interactions) -> None:
    X = known.customer_matrix().toarray()
    inverse = np.linalg.inv(X.T @ X + 20.0 * np.eye(X.shape[1]))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    model = ItemItemRecommender(dict(EASE)).fit(known)
    assert model._weights.toarray() == pytest.approx(expected.astype(np.float32), abs=1e-6)


def test_ease_refuses_what_does_not_fit_into_memory(known: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models_ml.recommend.item_item.EASE_ITEM_LIMIT", 10)
    with pytest.raises(ValueError, match="EASE is dense: 40 items"):
        ItemItemRecommender(dict(EASE)).fit(known)


def test_unknown_settings_kinds_and_items_are_named(models: dict[str, ScoringRecommender]) -> None:
    with pytest.raises(ValueError, match="has no setting neighbors"):
        make("item_item", {"neighbors": 3})
    with pytest.raises(ValueError, match="unknown kind"):
        make("oracle", {})
    with pytest.raises(NotFittedError):
        _ = make("als", {}).items
    with pytest.raises(KeyError, match="9999"):
        models["ease"].explain(Query.of([101]), 9999)


def test_lines_without_a_column_or_of_a_wrong_type() -> None:
    with pytest.raises(ValueError, match="placed_at"):
        Interactions.from_lines(pl.DataFrame({"order_id": [1], "customer_id": [1], "product_id": [1]}), LATE)
    bad = pl.DataFrame({"order_id": [1], "customer_id": [1], "product_id": ["mug"], "placed_at": ["2025"]})
    with pytest.raises(ValueError, match="wrong type"):
        Interactions.from_lines(bad, LATE)
