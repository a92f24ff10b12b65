"""The reader of the published snapshot: what it refuses, and what it keeps in memory."""

from pathlib import Path

import pytest

from models_ml.recommend.reasons import ReasonKind
from serving.published import POINTER, SnapshotError, load_snapshot, read_pointer
from serving.settings import Settings
from serving.snapshot import Snapshot
from tests.serving.snapshots import AS_OF, LINES, PRODUCTS, point_to, publish


@pytest.fixture
def snapshot(small_shop: Settings) -> Snapshot:
    pointer = read_pointer(small_shop.published)
    assert pointer is not None
    return load_snapshot(pointer)


def test_before_anything_is_published_there_is_no_pointer(tmp_path: Path) -> None:
    assert read_pointer(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"path": "a.duckdb"}', '{"path": 1, "build_id": "b"}'])
def test_a_garbled_pointer_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / POINTER).write_text(text, encoding="utf-8")
    with pytest.raises(SnapshotError, match=POINTER):
        read_pointer(tmp_path)


def test_a_snapshot_of_another_duckdb_is_refused(small_shop: Settings) -> None:
    point_to(small_shop.published, "build-1", duckdb_version="2.0.0")
    with pytest.raises(SnapshotError, match=r"2\.0\.0"):
        read_pointer(small_shop.published)


def test_a_missing_or_broken_file_is_refused(small_shop: Settings) -> None:
    point_to(small_shop.published, "gone")
    pointer = read_pointer(small_shop.published)
    assert pointer is not None
    with pytest.raises(SnapshotError, match="does not exist"):
        load_snapshot(pointer)
    (small_shop.published / "gone.duckdb").write_bytes(b"no database" * 1000)
    with pytest.raises(SnapshotError, match="gone"):
        load_snapshot(pointer)


def test_as_of_is_read_in_any_zone(small_shop: Settings) -> None:
    point_to(small_shop.published, "build-1", as_of="2026-01-15T15:30:00+05:30")
    pointer = read_pointer(small_shop.published)
    assert pointer is not None
    assert pointer.as_of == AS_OF


def test_a_customer_s_history_is_theirs_alone_and_in_order(snapshot: Snapshot) -> None:
    assert [event.item_id for event in snapshot.purchases.history(11)] == [5, 1, 2]
    assert [event.item_id for event in snapshot.purchases.history(13)] == [1, 3]
    assert snapshot.purchases.history(999) == ()
    assert snapshot.purchases.history(0) == (), "guests' orders are nobody's history"


def test_popular_counts_distinct_customers_and_guests_one_by_one(snapshot: Snapshot) -> None:
    counts = {r.item_id: r.reason.count for r in snapshot.popularity.popular}
    assert counts == {4: 4, 1: 3, 3: 2, 2: 1}
    assert {r.reason.days for r in snapshot.popularity.popular} == {28}


def test_best_sellers_and_rising_are_two_lists_with_true_counts(snapshot: Snapshot) -> None:
    best = snapshot.popularity.best_sellers
    assert [(r.item_id, r.reason.count, r.reason.kind) for r in best[:2]] == [
        (4, 4, ReasonKind.BEST_SELLER),
        (1, 3, ReasonKind.BEST_SELLER),
    ]
    rising = snapshot.popularity.rising
    assert rising[0].item_id == 4
    assert rising[0].score == pytest.approx((4 + 5) / (0 + 5))


def test_what_sold_as_well_before_is_not_rising(settings: Settings) -> None:
    steady = [(200 + week, 20, 1, 7.0 * week + 3) for week in range(5)]
    publish(settings.published, "steady", products=PRODUCTS, lines=steady)
    pointer = read_pointer(settings.published)
    assert pointer is not None
    assert load_snapshot(pointer).popularity.rising == ()


def test_cancelled_orders_count_nowhere(settings: Settings) -> None:
    publish(settings.published, "b", products=PRODUCTS, lines=LINES[:1], unsold=LINES[1:])
    pointer = read_pointer(settings.published)
    assert pointer is not None
    loaded = load_snapshot(pointer)
    assert [r.item_id for r in loaded.popularity.popular] == [1]
    assert loaded.purchases.history(12) == ()


def test_a_sleepy_shop_widens_the_window_and_says_so(settings: Settings) -> None:
    publish(settings.published, "sleepy", products=PRODUCTS, lines=[(1, 11, 5, 200.0)])
    pointer = read_pointer(settings.published)
    assert pointer is not None
    popular = load_snapshot(pointer).popularity.popular
    assert [(r.item_id, r.reason.days) for r in popular] == [(5, 365)]


def test_an_empty_shop_loads(settings: Settings) -> None:
    publish(settings.published, "empty", products=(), lines=())
    pointer = read_pointer(settings.published)
    assert pointer is not None
    loaded = load_snapshot(pointer)
    assert loaded.popularity.popular == ()
    assert loaded.active == frozenset()
