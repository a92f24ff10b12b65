"""Stage two: dbt builds the warehouse in two goes, because models are asked in between.

First everything that knows no prediction; then, when the champions have spoken about the fresh figures, the marts that
show what they said. dbt runs in a process of its own each time and leaves no connection behind.
"""

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets
from packaging.version import Version, parse

from pipelines import audit_log, dbt_project, faults, publishing
from pipelines.assets.common import WRITER_POOL, build_of
from pipelines.builds import Build
from pipelines.dbt_project import FOLDER, NodeResult
from pipelines.duck import attached
from pipelines.errors import AuditFailed
from pipelines.extraction import changes
from pipelines.progress import say
from pipelines.settings import Settings, from_environment

MANIFEST: Path = dbt_project.ensure_manifest(from_environment())

PREDICTED = "source:raw_ml+"
"""Everything that shows what models said."""
AUDITED = "source:raw_ops.check_results+"
"""What shows the audit itself; built with the second go, filled when the audit is through."""
NO_UNIT_TESTS = "resource_type:unit_test"
"""They prove the project, not the data: the tests' business."""

_KEPT_TARGETS = 6
_LAST_PART = "predictions"


class Dbt(DbtCliResource):
    """dagster-dbt's resource without two questions that cost seconds each: dbt's version and an adapter in here."""

    @cached_property
    def _cli_version(self) -> Version:
        return parse(installed_version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Any) -> None:  # type: ignore[override]  # its caller allows none
        """Row counts are not fetched through it, and nobody here may hold the build open while dbt writes."""


def dbt_resource() -> Dbt:
    """dbt as it is installed beside this Python."""
    return Dbt(project_dir=str(FOLDER), profiles_dir=str(FOLDER), dbt_executable=str(dbt_project.executable()))


@dbt_assets(manifest=MANIFEST, exclude=f"{PREDICTED} {AUDITED} {NO_UNIT_TESTS}", name="dbt_warehouse", pool=WRITER_POOL)
def warehouse_models(context: dg.AssetExecutionContext, dbt: Dbt) -> Iterator[Any]:
    """Staging, intermediate and all marts that do without predictions."""
    yield from _build(context, dbt, "warehouse", ["build"])


@dbt_assets(manifest=MANIFEST, select=PREDICTED, exclude=NO_UNIT_TESTS, name="dbt_predictions", pool=WRITER_POOL)
def prediction_models(context: dg.AssetExecutionContext, dbt: Dbt) -> Iterator[Any]:
    """The marts that show what models said, and the one that shows the audit."""
    yield from _build(context, dbt, "predictions", ["build", "--select", AUDITED])


def target_of(settings: Settings, build: Build, part: str) -> Path:
    """Where the artefacts of one dbt command of one build lie."""
    return settings.dbt_target / "runs" / f"{build.build_id}-{part}"


def _build(context: dg.AssetExecutionContext, dbt: Dbt, part: str, arguments: list[str]) -> Iterator[Any]:
    settings = from_environment()
    build = build_of(context, settings)
    target = target_of(settings, build, part)
    say("dbt", f"building {part}")
    # The audit's library takes seconds to import; dbt is another process, so they pass meanwhile.
    threading.Thread(target=import_module, args=("great_expectations",), daemon=True).start()
    faults.reach(f"before_dbt_{part}")
    project, options = dbt_project.fingerprint(), _options(build)
    with dbt_project.working_on(settings, build.path):
        invocation = dbt.cli([*arguments, *options], context=context, target_path=target, raise_on_error=False)
        for event in invocation.stream():
            faults.reach(f"in_dbt_{part}")
            if _is_ours(context, event):
                yield event
    faults.reach(f"after_dbt_{part}")
    _conclude(settings, build, dbt_project.results(target), succeeded=invocation.is_successful())
    if part == _LAST_PART:
        dbt_project.record_built(build.path, project)
    _forget_old_targets(settings)


def _options(build: Build) -> list[str]:
    options = ["--vars", json.dumps({"as_of": build.options.as_of})] if build.options.as_of else []
    if not dbt_project.must_build_anew(build.path, full=build.options.full):
        return options
    if build.parent:
        say("dbt", "every table anew: " + ("asked for" if build.options.full else "the models changed"))
    with attached(build.path) as warehouse:
        changes.take_everything_as_changed(warehouse)
    return ["--full-refresh", *options]


def _is_ours(context: dg.AssetExecutionContext, event: Any) -> bool:
    """dbt may build more than this step's assets; what it says about others is no event of this step."""
    if isinstance(event, dg.Output):
        return event.output_name in context.op_execution_context.selected_output_names
    if isinstance(event, dg.AssetCheckResult):
        return dg.AssetCheckKey(event.asset_key, event.check_name) in context.selected_asset_check_keys  # type: ignore[arg-type]
    return not isinstance(event, dg.AssetCheckEvaluation)


def _conclude(settings: Settings, build: Build, results: list[NodeResult], *, succeeded: bool) -> None:
    """Write dbt's tests into the audit's log; a failure rejects the build with a report."""
    now = datetime.now(UTC)
    tests = [result for result in results if result.kind == "test"]
    models = sum(result.kind == "model" for result in results)
    with attached(build.path) as warehouse:
        audit_log.record(warehouse, [_check_result(build, test, now) for test in tests])
    failed = [result for result in results if result.status in {"fail", "error", "runtime error"}]
    say("dbt", f"  {models} models, {len(tests) - sum(t in failed for t in tests)} of {len(tests)} tests passed")
    if succeeded:
        return
    first = failed[0] if failed else None
    reason = f"{first.name}: {first.message}" if first else "dbt ended with an error before it ran anything"
    report = publishing.reject(settings, build, now=now, reasons=[f"{f.name}: {f.message}" for f in failed] or [reason])
    raise AuditFailed(f"dbt refused {build.build_id}: {reason} (report: {report})")


def _check_result(build: Build, test: NodeResult, now: datetime) -> audit_log.CheckResult:
    return audit_log.CheckResult(
        run_id=build.build_id,
        check_name=test.name,
        asset=test.asset,
        passed=test.status in {"pass", "warn"},
        severity="WARN" if test.status == "warn" else "ERROR",
        failed_rows=test.failures,
        observed=test.message or test.status,
        checked_at=now,
    )


def _forget_old_targets(settings: Settings) -> None:
    folders = sorted((settings.dbt_target / "runs").iterdir())
    for folder in folders[:-_KEPT_TARGETS]:
        shutil.rmtree(folder, ignore_errors=True)


def manifest() -> Mapping[str, Any]:
    """The parsed project."""
    content: Mapping[str, Any] = json.loads(MANIFEST.read_text("utf-8"))
    return content
