"""Stage four: the audit. Every check is a blocking asset check; what it finds is in the build and on the screens."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from pipelines import audit_log, dbt_project, faults, publishing
from pipelines.assets.common import WRITER_POOL, build_of, mart, raw, raw_ops, shop_tables
from pipelines.assets.warehouse import prediction_models, target_of, warehouse_models
from pipelines.audit_log import CheckResult
from pipelines.audits import drift, suites
from pipelines.audits.suites import Outcome, Suite
from pipelines.builds import Build
from pipelines.duck import attached
from pipelines.extraction import ledgers
from pipelines.extraction.reconcile import differences
from pipelines.progress import say
from pipelines.settings import Settings, from_environment

RECONCILIATION = "equals_the_shop"
LEDGER = "equals_the_shops_ledger"
_SHOWN = 5
KEPT_FOR = timedelta(days=90)
"""How long the audit's results stay in the warehouse."""


def _suite_specs(suite: Suite) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            expectation.name,
            asset=mart(suite.mart),
            blocking=expectation.severity == "ERROR",
            description=expectation.why,
        )
        for expectation in suite.expectations
    ]


def _suite_checks(suite: Suite) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(name=f"audit_{suite.mart}", specs=_suite_specs(suite), can_subset=True, pool=WRITER_POOL)
    def audit(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        settings = from_environment()
        build = build_of(context, settings)
        with attached(build.path, read_only=True) as warehouse:
            rows = suites.frame(warehouse, suite)
        outcomes = suites.validate(suite, rows)
        results = [_of_outcome(build, suite.mart, outcome) for outcome in outcomes]
        _log(settings, build, results)
        for result in results:
            yield _to_dagster(result)

    return audit


def _of_outcome(build: Build, mart_name: str, outcome: Outcome) -> CheckResult:
    return CheckResult(
        run_id=build.build_id,
        check_name=outcome.expectation.name,
        asset=mart_name,
        passed=outcome.passed,
        severity=outcome.expectation.severity,
        failed_rows=outcome.unexpected,
        observed=outcome.observed,
        checked_at=datetime.now(UTC),
    )


@dg.multi_asset_check(
    name="reconcile",
    specs=[
        dg.AssetCheckSpec(
            RECONCILIATION,
            asset=raw(table),
            blocking=True,
            description="Row count, money sums and hash per day are those of the shop in the extraction's snapshot.",
        )
        for table in shop_tables()
    ],
    pool=WRITER_POOL,
)
def reconcile(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Compare the shop's own figures with what `raw` holds."""
    settings = from_environment()
    build = build_of(context, settings)
    with attached(build.path, read_only=True) as warehouse:
        found = differences(warehouse)
    results = []
    for table in shop_tables():
        here = [difference for difference in found if difference.table == table]
        observed = "; ".join(map(str, here[:_SHOWN])) or "no difference"
        results.append(
            CheckResult(
                build.build_id, RECONCILIATION, table, not here, "ERROR", len(here), observed, datetime.now(UTC)
            )
        )
    _log(settings, build, results)
    say("audit", f"reconciliation with the shop: {len(found)} differences")
    for result in results:
        yield _to_dagster(result, key=raw(result.asset))


@dg.multi_asset_check(
    name="ledgers",
    specs=[
        dg.AssetCheckSpec(
            LEDGER,
            asset=mart(ledger.mart),
            blocking=True,
            description="Sums per owner and in all are those of the shop's ledger in the extraction's snapshot.",
        )
        for ledger in ledgers.LEDGERS
    ],
    pool=WRITER_POOL,
)
def compare_ledgers(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Compare the shop's own sums of its ledgers with the facts that readers see."""
    settings = from_environment()
    build = build_of(context, settings)
    results = []
    with attached(build.path, read_only=True) as warehouse:
        for ledger in ledgers.LEDGERS:
            found = ledgers.differences(warehouse, ledger)
            observed = "; ".join(map(str, found[:_SHOWN])) or "no difference"
            results.append(
                CheckResult(
                    build.build_id, LEDGER, ledger.mart, not found, "ERROR", len(found), observed, datetime.now(UTC)
                )
            )
    _log(settings, build, results)
    for result in results:
        yield _to_dagster(result)


@dg.multi_asset_check(
    name="drift",
    specs=[
        dg.AssetCheckSpec(
            name, asset=mart(mart_name), blocking=True, description="Nothing may be lost against the last good build."
        )
        for name, mart_name in drift.names()
    ],
    pool=WRITER_POOL,
)
def drift_limits(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Compare row counts and revenue with the build that this one was seeded from."""
    settings = from_environment()
    build = build_of(context, settings)
    parent = settings.builds / f"{build.parent}.duckdb" if build.parent else None
    severity: audit_log.Severity = "WARN" if build.options.accept_drift else "ERROR"
    results = [
        CheckResult(
            build.build_id, found.check_name, found.mart, found.passed, severity, 0, found.observed, datetime.now(UTC)
        )
        for found in drift.compare(build.path, parent)
    ]
    _log(settings, build, results)
    for result in results:
        yield _to_dagster(result)


def _log(settings: Settings, build: Build, results: Sequence[CheckResult]) -> None:
    """Keep the results in the build; an error also leaves a report that says why the build was rejected."""
    with attached(build.path) as warehouse:
        audit_log.record(warehouse, results)
    failed = [result for result in results if not result.passed and result.severity == "ERROR"]
    if failed:
        reasons = [f"{result.asset}.{result.check_name}: {result.observed}" for result in failed]
        say("audit", f"REJECTED {reasons[0]}")
        publishing.reject(settings, build, now=datetime.now(UTC), reasons=reasons)
    faults.reach("in_audit")


def _to_dagster(result: CheckResult, *, key: dg.AssetKey | None = None) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key or mart(result.asset),
        check_name=result.check_name,
        passed=result.passed,
        severity=dg.AssetCheckSeverity.ERROR if result.severity == "ERROR" else dg.AssetCheckSeverity.WARN,
        metadata={"observed": result.observed, "failed_rows": result.failed_rows},
    )


def _audited_keys() -> list[dg.AssetKey]:
    marts = [key for models in (warehouse_models, prediction_models) for key in models.keys if key.path[0] == "marts"]
    return sorted(marts) + [raw(table) for table in shop_tables()]


@dg.multi_asset(
    name="audit_log",
    specs=[
        dg.AssetSpec(
            raw_ops("check_results"),
            deps=_audited_keys(),
            group_name="quality",
            description="What every check of every kept run found: reconciliation, dbt tests, expectations, drift.",
        ),
        dg.AssetSpec(
            mart("data_quality"),
            deps=[raw_ops("check_results")],
            group_name="quality",
            description="The same for readers: check × run.",
        ),
    ],
    pool=WRITER_POOL,
)
def record_audit(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Bring what the audit found into the mart `data_quality`, by the very SQL that dbt compiled for it."""
    settings = from_environment()
    build = build_of(context, settings)
    sql = dbt_project.compiled_sql(target_of(settings, build, "predictions"), "data_quality")
    with attached(build.path) as warehouse:
        warehouse.execute("BEGIN")
        audit_log.forget_before(warehouse, datetime.now(UTC) - KEPT_FOR)
        warehouse.execute("DELETE FROM marts.data_quality")
        warehouse.execute(f"INSERT INTO marts.data_quality BY NAME {sql}")
        warehouse.execute("COMMIT")
        row = warehouse.execute(
            "SELECT count(*), count(*) FILTER (WHERE NOT passed) FROM marts.data_quality WHERE run_id = ?",
            [build.build_id],
        ).fetchone()
    checks, failed = row if row is not None else (0, 0)
    say("audit", f"{checks} checks, {failed} not passed")
    faults.reach("after_audit")
    for key in (raw_ops("check_results"), mart("data_quality")):
        yield dg.MaterializeResult(asset_key=key, metadata={"checks": checks, "not passed": failed})


def required_checks() -> set[str]:
    """Names of the checks without whose pass nothing is published."""
    expected = {e.name for suite in suites.load().values() for e in suite.expectations if e.severity == "ERROR"}
    return expected | {RECONCILIATION, LEDGER}


CHECKS = [reconcile, compare_ledgers, drift_limits, *(_suite_checks(suite) for suite in suites.load().values())]
