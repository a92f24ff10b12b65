"""Publishing: one pointer, moved only forward from where a build began; three builds kept; a way back."""

import json
import stat
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines import audit_log, builds, pointer, publishing
from pipelines.duck import attached
from pipelines.errors import NothingPublished, PipelineError, PublishRefused
from pipelines.extraction import extract
from pipelines.settings import Settings
from tests.pipelines.small_refresh import audit, build_marts, refresh
from tests.pipelines.support import NOW, add_customers, customer, url_of
from transactional.core.uow import Database


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    return Settings(var=tmp_path / "var", database_url=url_of(database))


def _ready_build(settings: Settings, run_id: str, *, now: object = NOW) -> builds.Build:
    build = builds.seed(settings, now=NOW, run_id=run_id)
    extract(settings.database_url, build.path, now=NOW)
    build_marts(build)
    audit(build, NOW)
    return build


@pytest.mark.slow
def test_the_pointer_tells_readers_all_they_need(settings: Settings) -> None:
    card = refresh(settings, now=NOW)
    content = json.loads((settings.published / "CURRENT.json").read_text("utf-8"))
    assert content == card.as_json()
    assert content["as_of"] == "2026-01-15T10:00:00+00:00"
    assert content["parent"] is None
    snapshot = settings.published / content["path"]
    assert stat.S_IMODE(snapshot.stat().st_mode) == 0o444
    assert snapshot.stat().st_size == content["bytes"]


@pytest.mark.slow
def test_the_snapshot_holds_marts_as_tables_and_nothing_else(settings: Settings) -> None:
    card = refresh(settings, now=NOW)
    with attached(settings.published / card.path, read_only=True) as connection:
        found = connection.execute(
            "SELECT table_schema, table_name, table_type FROM information_schema.tables"
            " WHERE table_catalog = 'warehouse' ORDER BY 2"
        ).fetchall()
    assert found == [("marts", name, "BASE TABLE") for name in ("customer_count", "dim_customers", "dim_shop")]


@pytest.mark.slow
def test_a_slow_run_never_publishes_over_a_newer_one(settings: Settings) -> None:
    refresh(settings, now=NOW)
    slow, fast = _ready_build(settings, "aaaaaaaa"), _ready_build(settings, "bbbbbbbb")
    winner = publishing.publish(settings, fast, now=NOW)
    with pytest.raises(PublishRefused, match="a newer run came first"):
        publishing.publish(settings, slow, now=NOW)
    assert pointer.require_current(settings.published).build_id == winner.build_id


@pytest.mark.slow
def test_of_two_that_publish_at_once_exactly_one_wins(settings: Settings) -> None:
    refresh(settings, now=NOW)
    ready = [_ready_build(settings, key * 8) for key in "abcd"]
    outcomes: list[str] = []
    start = threading.Barrier(len(ready))

    def attempt(build: builds.Build) -> None:
        start.wait()
        try:
            outcomes.append(publishing.publish(settings, build, now=NOW).build_id)
        except PublishRefused:
            outcomes.append("refused")

    threads = [threading.Thread(target=attempt, args=(build,)) for build in ready]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [outcome for outcome in outcomes if outcome != "refused"]
    assert len(winners) == 1
    assert len(outcomes) == len(ready)
    assert pointer.require_current(settings.published).build_id == winners[0]


@pytest.mark.slow
def test_unaudited_figures_are_never_published(settings: Settings) -> None:
    build = builds.seed(settings, now=NOW, run_id="cccccccc")
    extract(settings.database_url, build.path, now=NOW)
    build_marts(build)
    with pytest.raises(PublishRefused, match="no pass is recorded"):
        publishing.publish(settings, build, now=NOW, required_checks=["reconciliation"])
    assert pointer.current(settings.published) is None


@pytest.mark.slow
def test_a_pass_of_another_build_does_not_count(settings: Settings) -> None:
    refresh(settings, now=NOW)
    build = builds.seed(settings, now=NOW, run_id="dddddddd")
    build_marts(build)
    with pytest.raises(PublishRefused, match="no pass is recorded"):
        publishing.publish(settings, build, now=NOW, required_checks=["reconciliation"])


@pytest.mark.slow
def test_a_failed_check_is_reported_and_keeps_readers_where_they_are(settings: Settings) -> None:
    good = refresh(settings, now=NOW)
    build = _ready_build(settings, "eeeeeeee")
    failed = audit_log.CheckResult(build.build_id, "revenue", "sales", False, "ERROR", 3, "−5 rupees", NOW)
    with attached(build.path) as connection:
        audit_log.record(connection, [failed])
    with pytest.raises(PublishRefused, match="revenue"):
        publishing.publish(settings, build, now=NOW)
    report = json.loads(publishing.reject(settings, build, now=NOW, reasons=["audit"]).read_text("utf-8"))
    assert report["readers_stay_on"] == good.build_id
    assert [check["check_name"] for check in report["failed_checks"]] == ["revenue"]
    assert publishing.rejections(settings)[0]["build_id"] == build.build_id


@pytest.mark.slow
def test_three_builds_are_kept(settings: Settings) -> None:
    made = [refresh(settings, now=NOW + timedelta(minutes=minute)).build_id for minute in range(5)]
    assert [card.build_id for card in pointer.cards(settings.published)] == made[:1:-1]
    assert sorted(path.stem for path in settings.builds.glob("*.duckdb")) == made[2:]


@pytest.mark.slow
def test_a_snapshot_that_somebody_reads_is_kept(settings: Settings) -> None:
    first = refresh(settings, now=NOW)
    reading = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); print(1, flush=True); sys.stdin.read()"
    )
    snapshot = settings.published / first.path
    with subprocess.Popen(
        [sys.executable, "-c", reading, str(snapshot)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline()
        for minute in range(1, 4):
            refresh(settings, now=NOW + timedelta(minutes=minute))
        assert snapshot.exists()
        reader.communicate(b"")
    refresh(settings, now=NOW + timedelta(minutes=4))
    assert not snapshot.exists()


@pytest.mark.slow
def test_rollback_goes_back_one_and_the_next_run_reads_again(settings: Settings, database: Database) -> None:
    first = refresh(settings, now=NOW)
    add_customers(database, customer(1, name="new"))
    refresh(settings, now=NOW + timedelta(minutes=1))
    assert publishing.rollback(settings).build_id == first.build_id
    assert pointer.require_current(settings.published) == first
    again = refresh(settings, now=NOW + timedelta(minutes=2))
    assert again.parent == first.build_id
    with attached(settings.published / again.path, read_only=True) as connection:
        assert connection.execute("SELECT full_name FROM marts.dim_customers").fetchall() == [("new",)]


@pytest.mark.slow
def test_rollback_has_an_end_and_says_so(settings: Settings) -> None:
    with pytest.raises(NothingPublished, match="refresh"):
        publishing.rollback(settings)
    refresh(settings, now=NOW)
    with pytest.raises(PipelineError, match="is the first build"):
        publishing.rollback(settings)
    with pytest.raises(PipelineError, match="no longer kept"):
        publishing.rollback(settings, to="20200101T000000Z-00000000")


@pytest.mark.slow
def test_rollback_refuses_a_snapshot_that_changed_on_disk(settings: Settings) -> None:
    first = refresh(settings, now=NOW)
    second = refresh(settings, now=NOW + timedelta(minutes=1))
    snapshot = settings.published / first.path
    snapshot.chmod(0o644)
    with snapshot.open("ab") as file:
        file.write(b"x")
    with pytest.raises(PipelineError, match="SHA-256"):
        publishing.rollback(settings)
    assert pointer.require_current(settings.published) == second


@pytest.mark.slow
def test_a_lost_build_file_is_named_and_a_full_run_begins_anew(settings: Settings, database: Database) -> None:
    add_customers(database, customer(1))
    first = refresh(settings, now=NOW)
    (settings.builds / f"{first.build_id}.duckdb").unlink()
    with pytest.raises(PipelineError, match="is missing"):
        refresh(settings, now=NOW)
    assert refresh(settings, now=NOW + timedelta(minutes=1), full=True).parent == first.build_id


def test_a_garbled_pointer_is_named(settings: Settings) -> None:
    settings.published.mkdir(parents=True)
    (settings.published / "CURRENT.json").write_text('{"path": "x"}', "utf-8")
    with pytest.raises(PipelineError, match="no card"):
        pointer.current(settings.published)


def test_a_run_finds_its_own_build(settings: Settings) -> None:
    build = builds.seed(settings, now=NOW, run_id="12345678-9abc-4def-8000-000000000000")
    assert builds.of_run(settings, "12345678-9abc-4def-8000-000000000000") == build
    with pytest.raises(PipelineError, match="has no build"):
        builds.of_run(settings, "ffffffff")
