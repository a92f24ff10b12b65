"""A refresh without Dagster and dbt: real seeding, extraction, checks and publishing around two marts in plain SQL.

`python -m tests.pipelines.small_refresh` runs one in the house that `MLT_VAR` names, so that a test can kill it.
"""

import uuid
from datetime import UTC, datetime

from pipelines import audit_log, builds, faults, publishing
from pipelines.duck import attached
from pipelines.errors import AuditFailed
from pipelines.extraction import extract
from pipelines.extraction.reconcile import differences
from pipelines.pointer import Card
from pipelines.settings import Settings, from_environment

MARTS = (
    "CREATE SCHEMA IF NOT EXISTS marts",
    "CREATE OR REPLACE TABLE marts.dim_shop AS SELECT TIMESTAMP '2026-01-15 10:00:00' AS as_of",
    "CREATE OR REPLACE TABLE marts.dim_customers AS SELECT id AS customer_id, full_name FROM raw.customers",
    "CREATE OR REPLACE VIEW marts.customer_count AS SELECT count(*)::DECIMAL(18,2) AS customers FROM raw.customers",
)


def build_marts(build: builds.Build) -> None:
    """What dbt does in a real refresh."""
    with attached(build.path) as warehouse:
        for number, statement in enumerate(MARTS):
            warehouse.execute(statement)
            faults.reach(f"in_marts:{number}")


def audit(build: builds.Build, now: datetime) -> None:
    """Reconciliation as the one check."""
    with attached(build.path) as warehouse:
        found = differences(warehouse)
        result = audit_log.CheckResult(
            build.build_id, "reconciliation", "raw", not found, "ERROR", len(found), "; ".join(map(str, found)), now
        )
        audit_log.record(warehouse, [result])
    if found:
        raise AuditFailed(str(found[0]))


def refresh(settings: Settings, *, now: datetime | None = None, full: bool = False) -> Card:
    """Seed, extract, model, audit, publish."""
    moment = now or datetime.now(UTC)
    build = builds.seed(settings, now=moment, run_id=uuid.uuid4().hex, options=builds.Options(full=full))
    extract(settings.database_url, build.path, now=moment, full=full)
    build_marts(build)
    audit(build, moment)
    faults.reach("after_audit")
    return publishing.publish(settings, build, now=moment, required_checks=["reconciliation"])


if __name__ == "__main__":
    refresh(from_environment())
