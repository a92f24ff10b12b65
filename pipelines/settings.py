"""Where things lie and which shop is read: everything from the environment, with defaults for a desk."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: `dbt/`, `dagster.yaml` and the packages lie in it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Paths under `MLT_VAR` and the shop's database; immutable, so that a run cannot change its mind half-way."""

    var: Path
    database_url: str
    smtp_url: str | None = None
    alert_to: str | None = None

    @property
    def builds(self) -> Path:
        """One DuckDB file a run, written by that run alone."""
        return self.var / "warehouse" / "builds"

    @property
    def rejected(self) -> Path:
        """Why an audit failed, one JSON file a rejected build."""
        return self.var / "warehouse" / "rejected"

    @property
    def published(self) -> Path:
        """Immutable snapshots of the marts and the pointer `CURRENT.json`."""
        return self.var / "published"

    @property
    def mlflow(self) -> Path:
        """MLflow's store and artifacts."""
        return self.var / "mlflow"

    @property
    def mlflow_uri(self) -> str:
        """MLflow's tracking store: SQLite under `var/`."""
        return f"sqlite:///{self.mlflow / 'mlflow.db'}"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own storage."""
        return self.var / "dagster"

    @property
    def dbt_target(self) -> Path:
        """What dbt compiles and logs; outside of the checkout's tracked files."""
        return self.var / "dbt"

    @property
    def dbt_slot(self) -> Path:
        """The one path under which dbt finds whatever build it works on."""
        return self.var / "warehouse" / "dbt"

    @property
    def alerts(self) -> Path:
        """The file that alerts are written to."""
        return self.var / "logs" / "alerts.jsonl"


def from_environment() -> Settings:
    """Read `MLT_VAR`, `DATABASE_URL`, `MLT_SMTP_URL` and `MLT_ALERT_TO`."""
    var = Path(os.environ.get("MLT_VAR", ROOT / "var")).resolve()
    return Settings(
        var=var,
        database_url=os.environ.get("DATABASE_URL") or f"sqlite:///{var / 'shop.db'}",
        smtp_url=os.environ.get("MLT_SMTP_URL") or None,
        alert_to=os.environ.get("MLT_ALERT_TO") or None,
    )
