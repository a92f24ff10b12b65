"""Jobs, schedules and the sensor that tells someone."""

from datetime import UTC, datetime

import dagster as dg

from pipelines.alerts import Alert, send
from pipelines.assets.extract import extract_raw
from pipelines.assets.publish import snapshot
from pipelines.assets.quality import record_audit
from pipelines.assets.score import score_customers
from pipelines.assets.training import MODELS
from pipelines.assets.warehouse import prediction_models, warehouse_models
from pipelines.settings import from_environment

# In one process: the steps follow one another anyway (one writer), and a process a step would cost seconds each.
refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.assets(
        extract_raw, warehouse_models, score_customers, prediction_models, record_audit, snapshot
    ),
    executor_def=dg.in_process_executor,
    description="extract → dbt → score → audit → publish",
)
train = dg.define_asset_job(
    "train",
    selection=dg.AssetSelection.assets(*MODELS),
    executor_def=dg.in_process_executor,
    description="Every model from the published figures, through the gate.",
)

schedules = [
    dg.ScheduleDefinition(
        name="nightly",
        job=refresh,
        cron_schedule="30 20 * * *",
        execution_timezone="UTC",
        run_config={"ops": {"extract": {"config": {"reconcile": True}}}},
        description="Every night, with a reconciliation of whole tables.",
    ),
    dg.ScheduleDefinition(
        name="hourly",
        job=refresh,
        cron_schedule="5 0-19,21-23 * * *",
        execution_timezone="UTC",
        description="What the day brought; costs what changed.",
    ),
    dg.ScheduleDefinition(
        name="weekly_training",
        job=train,
        cron_schedule="0 22 * * 0",
        execution_timezone="UTC",
        description="Champions grow stale; challengers are tried on Sunday night.",
    ),
]


@dg.run_failure_sensor(
    name="tell_someone",
    monitored_jobs=[refresh, train],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A failed run becomes an alert, once.",
)
def tell_someone(context: dg.RunFailureSensorContext) -> None:
    """Hand a failed run to the one sink of alerts."""
    run = context.dagster_run
    title = f"{run.job_name} failed"
    alert = Alert(key=f"run:{run.run_id}", title=title, body=context.failure_event.message or title)
    send(from_environment(), alert, now=datetime.now(UTC))
