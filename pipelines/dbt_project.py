"""The dbt project as the pipelines run it: from its folder, its artefacts under `var/`, on one build file."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipelines.duck import attached
from pipelines.errors import PipelineError
from pipelines.settings import ROOT, Settings

FOLDER = ROOT / "dbt"
_BUILD_NAME = "build.duckdb"
_SOURCES = ("*.sql", "*.yml", "*.csv", "*.md")
_BUILT_FROM = ("dbt_project.yml", "models/**/*.sql", "models/**/*.yml", "macros/**/*.sql", "seeds/**/*.csv")
"""What decides how tables look; tests and prose do not."""


def executable() -> Path:
    """The `dbt` beside this very Python, whatever PATH says."""
    return Path(sys.executable).with_name("dbt")


def environment(settings: Settings) -> dict[str, str]:
    """What dbt reads from the environment: where to write, and the path under which it finds the build."""
    return {
        "DBT_TARGET_PATH": str(settings.dbt_target / "target"),
        "DBT_LOG_PATH": str(settings.dbt_target / "logs"),
        "DBT_PROFILES_DIR": str(FOLDER),
        "MLT_BUILD_PATH": str(settings.dbt_slot / _BUILD_NAME),
    }


@contextmanager
def working_on(settings: Settings, build: Path) -> Iterator[None]:
    """Let dbt find this build, and this process's environment tell it where; one dbt at a time.

    dbt parses its whole project anew whenever a path in the profile differs from the last time. So it always sees the
    same path, a link to a folder beside the build, into which DuckDB also puts its log and what does not fit into
    memory.
    """
    folder = build.with_suffix(".dbt")
    folder.mkdir(exist_ok=True)
    inside = folder / _BUILD_NAME
    inside.unlink(missing_ok=True)
    inside.symlink_to(build)
    with FileLock(settings.dbt_slot.with_suffix(".lock")):
        _point(settings.dbt_slot, folder)
        with _environment_set(environment(settings)):
            yield
        if inside.with_name(inside.name + ".wal").exists():
            with attached(inside) as warehouse:
                warehouse.execute("CHECKPOINT")
    shutil.rmtree(folder)


def _point(link: Path, folder: Path) -> None:
    fresh = link.with_name(f"{link.name}.{os.getpid()}")
    fresh.symlink_to(folder)
    fresh.replace(link)


@contextmanager
def _environment_set(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def fingerprint(folder: Path = FOLDER) -> str:
    """SHA-256 of everything that decides what the project builds: of the file names and of their contents."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _BUILT_FROM for path in folder.glob(pattern)}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def must_build_anew(build: Path, *, full: bool) -> bool:
    """Whether every table has to be made from nothing (`--full-refresh`).

    So it is on a full refresh, and where another project than today's built what this file was seeded from: a table
    that is only added to would keep the columns and rows that the older project gave it.
    """
    return full or _built_by(build) != fingerprint()


def _built_by(build: Path) -> str | None:
    with attached(build) as warehouse:
        known = warehouse.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database()"
            " AND schema_name = 'raw_ops' AND table_name = 'dbt_project'"
        ).fetchone()
        row = warehouse.execute("SELECT fingerprint FROM raw_ops.dbt_project").fetchone() if known else None
    return row[0] if row else None


def record_built(build: Path, project: str) -> None:
    """Leave the fingerprint of the project that built this file, for the builds that are seeded from it."""
    with attached(build) as warehouse:
        warehouse.execute("CREATE SCHEMA IF NOT EXISTS raw_ops")
        warehouse.execute("CREATE OR REPLACE TABLE raw_ops.dbt_project AS SELECT ? AS fingerprint", [project])


def ensure_manifest(settings: Settings) -> Path:
    """The project's manifest, parsed anew if any file of the project is newer.

    Raises `PipelineError` with dbt's words.
    """
    manifest = settings.dbt_target / "target" / "manifest.json"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(manifest.parent / ".parse.lock"):
        if not manifest.exists() or manifest.stat().st_mtime < _newest():
            _parse(settings)
    return manifest


def _newest() -> float:
    return max(path.stat().st_mtime for pattern in _SOURCES for path in FOLDER.rglob(pattern))


def _parse(settings: Settings) -> None:
    done = subprocess.run(  # noqa: S603 - our own tool
        [str(executable()), "parse", "--no-use-colors"],
        cwd=FOLDER,
        env={**os.environ, **environment(settings)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PipelineError(f"the dbt project does not parse:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What dbt says of one node: `kind` is model, seed or test; `failures` counts rows that a test found."""

    name: str
    kind: str
    asset: str
    status: str
    failures: int
    message: str


def results(target: Path) -> list[NodeResult]:
    """What the dbt command that wrote to `target` did, node by node; nothing where it died before."""
    path = target / "run_results.json"
    if not path.exists():
        return []
    nodes = _nodes(target)
    rows = json.loads(path.read_text("utf-8"))["results"]
    return [_result(row, nodes.get(row["unique_id"], {})) for row in rows]


def compiled_sql(target: Path, model: str) -> str:
    """The SQL that dbt compiled for a model."""
    for node in _nodes(target).values():
        if node.get("name") == model and node.get("resource_type") == "model" and node.get("compiled_code"):
            return str(node["compiled_code"])
    raise PipelineError(f"dbt compiled no model {model!r} into {target}")


def _nodes(target: Path) -> Mapping[str, Any]:
    nodes: Mapping[str, Any] = json.loads((target / "manifest.json").read_text("utf-8"))["nodes"]
    return nodes


def _result(row: Mapping[str, Any], node: Mapping[str, Any]) -> NodeResult:
    kind = str(row["unique_id"]).split(".")[0]
    tested = node.get("attached_node") or next(iter(node.get("depends_on", {}).get("nodes", ())), "")
    asset = str(tested).split(".")[-1] if kind == "test" else str(node.get("name", ""))
    return NodeResult(
        name=str(node.get("name", row["unique_id"])),
        kind=kind,
        asset=asset,
        status=str(row["status"]),
        failures=int(row.get("failures") or 0),
        message=str(row.get("message") or ""),
    )
