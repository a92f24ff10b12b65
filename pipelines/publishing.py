"""Publishing: audited marts become an immutable snapshot, and the pointer moves to it in one step.

Readers follow the pointer, open that file read-only and never see half a build or unaudited figures.
"""

import json
import os
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pipelines import builds, durable, faults, pointer
from pipelines.audit_log import failures, passed_checks
from pipelines.builds import Build
from pipelines.duck import attached, identifier, literal
from pipelines.errors import PipelineError, PublishRefused
from pipelines.extraction import cursor
from pipelines.pointer import Card
from pipelines.settings import Settings

MARTS = "marts"


def publish(settings: Settings, build: Build, *, now: datetime, required_checks: Collection[str] = ()) -> Card:
    """Turn a build's marts into the snapshot that readers follow.

    Raises `PublishRefused` where a required check has no pass for this very build, where the copy differs from the
    build, or where the pointer no longer names the build that this one was seeded from: a slow run must not publish
    over a newer one. The pointer is then unchanged.
    """
    faults.reach("before_publish")
    with attached(build.path) as warehouse:
        _require_audit(warehouse, build.build_id, required_checks)
        warehouse.execute("CHECKPOINT")
        horizon = _horizon(warehouse)
        as_of = _as_of(warehouse)
    if build.path.with_name(build.path.name + ".wal").exists():
        raise PublishRefused(f"{build.path} still has a write-ahead log: somebody else writes into this build.")
    snapshot = settings.published / f"{build.build_id}.duckdb"
    _require_parent(settings, build)
    _write_snapshot(build.path, snapshot)
    card = Card(
        path=snapshot.name,
        build_id=build.build_id,
        parent=build.parent,
        published_at=now,
        as_of=as_of,
        bytes=snapshot.stat().st_size,
        sha256=durable.sha256(snapshot),
        horizon=horizon,
        schema_version=pointer.SCHEMA_VERSION,
        duckdb_version=duckdb.__version__,
    )
    with pointer.locked(settings.published):
        _require_parent(settings, build)
        durable.write_json(snapshot.with_suffix(".json"), card.as_json())
        faults.reach("before_pointer")
        pointer.point_at(settings.published, card)
    faults.reach("after_pointer")
    builds.clean(settings)
    faults.reach("after_clean")
    return card


def rollback(settings: Settings, to: str | None = None) -> Card:
    """Let readers follow an earlier snapshot again: the current one's parent, or the build named.

    The next refresh seeds from that build and, since its cursor came back with it, reads again what the bad builds
    had read. Raises `PipelineError` where the snapshot is gone or its content changed.
    """
    with pointer.locked(settings.published):
        present = pointer.require_current(settings.published)
        wanted = to or present.parent
        if wanted is None:
            raise PipelineError(f"{present.build_id} is the first build: there is nothing to go back to.")
        known = {card.build_id: card for card in pointer.cards(settings.published)}
        card = known.get(wanted)
        if card is None or not (settings.builds / f"{wanted}.duckdb").exists():
            raise PipelineError(f"build {wanted} is no longer kept; kept are: {', '.join(known) or 'none'}.")
        if durable.sha256(settings.published / card.path) != card.sha256:
            raise PipelineError(f"the snapshot of {wanted} is not the file that was published: its SHA-256 differs.")
        pointer.point_at(settings.published, card)
    return card


def reject(settings: Settings, build: Build, *, now: datetime, reasons: Collection[str]) -> Path:
    """Leave a report that says why a build's audit failed; the build file stays for a look until it is cleaned."""
    path = settings.rejected / f"{build.build_id}.json"
    with attached(build.path, read_only=True) as warehouse:
        failed = failures(warehouse, build.build_id)
    current = pointer.current(settings.published)
    durable.write_json(
        path,
        {
            "build_id": build.build_id,
            "parent": build.parent,
            "rejected_at": now.isoformat(),
            "reasons": list(reasons),
            "failed_checks": failed,
            "readers_stay_on": current.build_id if current else None,
        },
    )
    return path


def rejections(settings: Settings) -> list[dict[str, object]]:
    """Reports of rejected builds, the latest first."""
    paths = sorted(settings.rejected.glob("*.json"), reverse=True)
    return [json.loads(path.read_text("utf-8")) for path in paths]


def _require_audit(warehouse: duckdb.DuckDBPyConnection, build_id: str, required: Collection[str]) -> None:
    failed = [row for row in failures(warehouse, build_id) if row["severity"] == "ERROR"]
    if failed:
        raise PublishRefused(f"{len(failed)} checks of {build_id} failed, the first: {failed[0]['check_name']}.")
    missing = sorted(set(required) - passed_checks(warehouse, build_id))
    if missing:
        raise PublishRefused(f"no pass is recorded for {build_id} of: {', '.join(missing)}.")


def _require_parent(settings: Settings, build: Build) -> None:
    present = pointer.current(settings.published)
    named = present.build_id if present else None
    if named != build.parent:
        raise PublishRefused(
            f"{build.build_id} was seeded from {build.parent or 'nothing'}, but {named} is published by now:"
            " a newer run came first. Refresh again."
        )


def _horizon(warehouse: duckdb.DuckDBPyConnection) -> int:
    known = cursor.read(warehouse)
    return known.positions[cursor.JOURNAL] if known else 0


def _as_of(warehouse: duckdb.DuckDBPyConnection) -> datetime:
    row = warehouse.execute("SELECT as_of FROM marts.dim_shop").fetchone()
    if row is None or row[0] is None:
        raise PublishRefused("marts.dim_shop does not say which moment the figures speak for (as_of).")
    return _utc(row[0])


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _write_snapshot(build: Path, snapshot: Path) -> None:
    partial = snapshot.with_name(f"{snapshot.name}.tmp{os.getpid()}")
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.unlink(missing_ok=True)
    with attached(build, read_only=True) as warehouse:
        warehouse.execute(f"ATTACH {literal(str(partial))} AS snapshot")
        _copy_marts(warehouse)
        warehouse.execute("CHECKPOINT snapshot")
        warehouse.execute("DETACH snapshot")
        faults.reach("after_marts_copy")
        warehouse.execute(f"ATTACH {literal(str(partial))} AS snapshot (READ_ONLY)")
        _verify(warehouse)
    durable.sync_file(partial)
    partial.chmod(0o444)
    partial.replace(snapshot)
    durable.sync_folder(snapshot.parent)
    faults.reach("after_snapshot")


def _copy_marts(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(f"CREATE SCHEMA snapshot.{MARTS}")
    for name in _mart_names(warehouse):
        # Views become tables: what they read is not in the snapshot.
        source, target = f"warehouse.{MARTS}.{identifier(name)}", f"snapshot.{MARTS}.{identifier(name)}"
        warehouse.execute(f"CREATE TABLE {target} AS FROM {source}")


def _verify(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Counts and sums of every money column, read back from the file that will be published."""
    for name in _mart_names(warehouse):
        sums = "".join(f", sum({identifier(column)})" for column in _money_columns(warehouse, name))
        figures = [
            warehouse.execute(f"SELECT count(*){sums} FROM {place}.{MARTS}.{identifier(name)}").fetchone()  # noqa: S608
            for place in ("warehouse", "snapshot")
        ]
        if figures[0] != figures[1]:
            raise PublishRefused(f"the copy of {MARTS}.{name} differs from the build: {figures[1]} for {figures[0]}.")


def _mart_names(warehouse: duckdb.DuckDBPyConnection) -> list[str]:
    rows = warehouse.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'warehouse' AND table_schema = ?"
        " ORDER BY table_name",
        [MARTS],
    ).fetchall()
    return [name for (name,) in rows]


def _money_columns(warehouse: duckdb.DuckDBPyConnection, mart: str) -> list[str]:
    rows = warehouse.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_catalog = 'warehouse' AND table_schema = ?"
        " AND table_name = ? AND data_type LIKE 'DECIMAL%' ORDER BY ordinal_position",
        [MARTS, mart],
    ).fetchall()
    return [name for (name,) in rows]
