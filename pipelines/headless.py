"""Dagster's jobs without its server: the same assets, checks and event log, in this process."""

import logging
import os
import shutil
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import pointer
from pipelines.alerts import Alert, send
from pipelines.errors import PipelineError
from pipelines.orphans import TAG, bury, one_at_a_time
from pipelines.progress import say
from pipelines.settings import ROOT, Settings, from_environment

if TYPE_CHECKING:
    from dagster import DagsterInstance

_ROTATE_BYTES = 5_000_000


class RunFailed(PipelineError):
    """A Dagster run did not end well."""


class BadRequest(PipelineError):
    """The command asked for something that makes no sense."""


def refresh(*, full: bool, reconcile: bool, as_of: str | None, accept_drift: bool) -> str:
    """One refresh; gives the line that says what was published.

    Raises `RunFailed`; readers then stay where they are.
    """
    settings = from_environment()
    config = {"full": full, "reconcile": reconcile, "as_of": _moment(as_of), "accept_drift": accept_drift}
    before = pointer.current(settings.published)
    _run(settings, "refresh", {"ops": {"extract": {"config": config}}})
    card = pointer.require_current(settings.published)
    if before is not None and card.build_id == before.build_id:
        raise RunFailed(f"the run ended, but readers are still on {card.build_id}.")
    return (
        f"Published {card.build_id}: figures as of {card.as_of:%Y-%m-%d %H:%M} UTC,"
        f" {card.bytes / 1e6:.1f} MB in {settings.published / card.path}"
    )


def train(*, then_refresh: bool) -> str:
    """Train every model; gives the last line. Raises `RunFailed`, and `NothingPublished` before the first refresh."""
    settings = from_environment()
    card = pointer.require_current(settings.published)
    _run(settings, "train", {})
    if then_refresh:
        return refresh(full=False, reconcile=False, as_of=None, accept_drift=False)
    return f"Trained on published build {card.build_id}; the next refresh brings the predictions into the marts."


def prepare_home(settings: Settings) -> Path:
    """Dagster's home with the checkout's `dagster.yaml` in it: it reads the file from nowhere else."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    partial = home / f"dagster.yaml.{os.getpid()}.tmp"
    shutil.copyfile(ROOT / "dagster.yaml", partial)
    partial.replace(home / "dagster.yaml")
    return home


def _moment(text: str | None) -> str | None:
    """A time as dbt takes it: UTC without zone. A bare date means its end."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"--as-of {text!r} is no ISO 8601 time, e.g. 2026-01-15 or 2026-01-15T10:00:00Z.") from None
    if len(text) == len("2026-01-15"):
        moment += timedelta(days=1, microseconds=-1)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def _run(settings: Settings, job_name: str, run_config: Mapping[str, Any]) -> None:
    os.environ["DAGSTER_HOME"] = str(prepare_home(settings))
    warnings.filterwarnings("ignore")
    say("start", f"loading Dagster for the job {job_name}")

    for chatty in ("alembic", "mlflow"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    from pipelines.definitions import defs  # noqa: PLC0415

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job = defs.resolve_job_def(job_name)
    # What dbt says goes to a file; people follow the progress lines.
    with one_at_a_time(settings), _instance(settings) as instance:
        bury(instance)
        with _log(settings).open("a", encoding="utf-8") as log, redirect_stdout(log):
            result = job.execute_in_process(
                instance=instance, run_config={**run_config, **quiet}, tags=TAG, raise_on_error=False
            )
        if result.success:
            return
        reason = _reason(result)
    alert = Alert(key=f"run:{result.run_id}", title=f"{job_name} failed", body=reason)
    send(settings, alert, now=datetime.now(UTC))
    raise RunFailed(f"{job_name} failed: {reason}")


def _instance(settings: Settings) -> "DagsterInstance":
    """The house's Dagster instance, as `dagster dev` sees it, with an event log that does not hold up the run."""
    from dagster import DagsterInstance  # noqa: PLC0415
    from dagster._core.instance.ref import InstanceRef  # noqa: PLC0415

    events = {
        "module": "pipelines.event_log",
        "class": "OpenEventLog",
        "config": {"base_dir": str(settings.dagster_home / "history" / "runs")},
    }
    reference = InstanceRef.from_dir(str(settings.dagster_home), overrides={"event_log_storage": events})
    return DagsterInstance.from_ref(reference)


def _log(settings: Settings) -> Path:
    path = settings.var / "logs" / "dbt.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _ROTATE_BYTES:
        path.replace(path.with_suffix(".1.log"))
    return path


def _reason(result: Any) -> str:
    """The innermost words of the first step that failed."""
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            return f"{event.step_key}: {error.message.strip() if error else 'without a word'}"
    return "no step says why"
