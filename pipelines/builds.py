"""Builds: one DuckDB file a run, seeded from the published one, written by that run alone."""

import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines import durable, faults, pointer
from pipelines.errors import PipelineError
from pipelines.settings import Settings

KEPT = 3
"""Published builds that are kept with their snapshots, the current one among them."""

ABANDONED_AFTER_SECONDS = 6 * 3600
"""A build that nobody published and nobody wrote for so long belongs to a run that died."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a refresh was asked for.

    `as_of` is the UTC moment that the figures shall speak for (None: the shop's last event); `accept_drift` lets a
    build be published although it has far fewer rows or other revenue than the one before.
    """

    full: bool = False
    reconcile: bool = False
    as_of: str | None = None
    accept_drift: bool = False


@dataclass(frozen=True, slots=True)
class Build:
    """A build file, the build that it was seeded from, and what its run was asked for."""

    build_id: str
    path: Path
    parent: str | None
    options: Options = Options()


def new_build_id(now: datetime, run_id: str) -> str:
    """Sorts by time and names its run, e.g. `20260115T100000Z-1f0c22ab`."""
    return f"{now:%Y%m%dT%H%M%SZ}-{run_id.replace('-', '')[:8]}"


def seed(settings: Settings, *, now: datetime, run_id: str, options: Options | None = None) -> Build:
    """A new build: a plain copy of the published one's build file, or an empty one if nothing is published.

    The copy gets its name when it is whole. Where the published build's file is missing, a `full` run begins with an
    empty one; any other raises `PipelineError`.
    """
    settings.builds.mkdir(parents=True, exist_ok=True)
    card = pointer.current(settings.published)
    build_id = new_build_id(now, run_id)
    asked = options or Options()
    build = Build(build_id, settings.builds / f"{build_id}.duckdb", card.build_id if card else None, asked)
    build.path.unlink(missing_ok=True)
    source = settings.builds / f"{build.parent}.duckdb"
    if card is not None and not (asked.full and not source.exists()):
        _copy(source, build.path)
    faults.reach("in_seed")
    durable.write_json(_sidecar(build.path), _description(build, run_id))
    faults.reach("after_seed")
    return build


def of_run(settings: Settings, run_id: str) -> Build:
    """The build that a run works on. Raises `PipelineError` where it has none."""
    suffix = run_id.replace("-", "")[:8]
    found = sorted(settings.builds.glob(f"*-{suffix}.json"))
    if not found:
        raise PipelineError(f"run {run_id} has no build under {settings.builds}: its extraction must run first.")
    known = json.loads(found[-1].read_text("utf-8"))
    path = settings.builds / f"{known['build_id']}.duckdb"
    return Build(known["build_id"], path, known["parent"], Options(**known["options"]))


def clean(settings: Settings, *, protect: frozenset[str] = frozenset()) -> list[str]:
    """Delete published builds beyond the three latest and what dead runs left; returns the deleted build ids.

    The current snapshot stays however old it is, and so does one that a reader in another process has open.
    """
    from pipelines.readers import is_read  # noqa: PLC0415 - fcntl exists on Unix only

    card = pointer.current(settings.published)
    known = pointer.cards(settings.published)
    kept = {entry.build_id for entry in known[:KEPT]} | protect | ({card.build_id} if card else set())
    deleted = []
    for entry in known:
        snapshot = settings.published / entry.path
        if entry.build_id in kept or is_read(snapshot):
            continue
        snapshot.unlink(missing_ok=True)
        _sidecar(snapshot).unlink(missing_ok=True)
        _remove(settings.builds / f"{entry.build_id}.duckdb")
        deleted.append(entry.build_id)
    published = {entry.build_id for entry in known}
    for path in settings.builds.glob("*.duckdb"):
        if path.stem not in kept | published and _age(path) > ABANDONED_AFTER_SECONDS:
            _remove(path)
            deleted.append(path.stem)
    orphans = [path for path in settings.builds.glob("*.json") if not path.with_suffix(".duckdb").exists()]
    for left_over in (*orphans, *settings.builds.glob("*.copying"), *settings.published.glob("*.duckdb.tmp*")):
        if _age(left_over) > ABANDONED_AFTER_SECONDS:
            left_over.unlink(missing_ok=True)
    return deleted


def _description(build: Build, run_id: str) -> dict[str, Any]:
    return {"build_id": build.build_id, "parent": build.parent, "run_id": run_id, "options": asdict(build.options)}


def _copy(source: Path, target: Path) -> None:
    if not source.exists():
        raise PipelineError(
            f"the published build's file {source} is missing; restore it, roll back to another build, or run"
            " `python -m pipelines refresh --full`."
        )
    wal = source.with_name(source.name + ".wal")
    if wal.exists():
        raise PipelineError(f"{wal} lies beside the published build: something wrote into it after it was published.")
    partial = target.with_suffix(".copying")
    shutil.copyfile(source, partial)
    os.replace(partial, target)


def _sidecar(path: Path) -> Path:
    return path.with_suffix(".json")


def _remove(build: Path) -> None:
    for path in (build, build.with_name(build.name + ".wal"), _sidecar(build)):
        path.unlink(missing_ok=True)
    shutil.rmtree(build.with_suffix(".dbt"), ignore_errors=True)


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime
