"""Where serving finds the snapshot and the models: everything from the environment, with defaults for a desk."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """`poll_seconds` bounds how old the knowledge of a new champion or snapshot may be."""

    published: Path
    mlflow_uri: str
    poll_seconds: float = 0.5


def from_environment() -> Settings:
    """Read `MLT_VAR` (default `var`) and `MLFLOW_TRACKING_URI` (default: MLflow's SQLite store under it)."""
    var = Path(os.environ.get("MLT_VAR", "var")).resolve()
    store = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{var / 'mlflow' / 'mlflow.db'}"
    return Settings(published=var / "published", mlflow_uri=store)
