"""A shop's data stays home: the switches that keep every tool from phoning out."""

import os

SWITCHES = {
    "DO_NOT_TRACK": "true",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}


def silence() -> None:
    """Set every switch in this process's environment; child processes inherit them."""
    os.environ.update(SWITCHES)
