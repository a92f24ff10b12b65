"""The house's own rules: who may import whom, what may lie where."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLANES = ("transactional", "pipelines", "models_ml", "serving", "dashboards")

# The import table of docs/architecture.md: what each plane may use of the others.
MAY_IMPORT = {
    "transactional": set(),
    "pipelines": {"models_ml"},
    "models_ml": set(),
    "serving": {"models_ml"},
    "dashboards": set(),
}
# Models are pure: frames in, figures out.
NOT_IN_MODELS = {"dagster", "fastapi", "sqlalchemy", "duckdb", "mlflow", "streamlit", "httpx", "requests"}


def imports_of(plane: str) -> Iterator[tuple[Path, str]]:
    """Every top-level module name that a plane's files import."""
    for path in sorted((ROOT / plane).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield path, alias.name.split(".")[0]
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                yield path, node.module.split(".")[0]


@pytest.mark.parametrize("plane", PLANES)
def test_a_plane_imports_only_what_the_architecture_allows(plane: str) -> None:
    forbidden = set(PLANES) - {plane} - MAY_IMPORT[plane]
    found = [f"{path.relative_to(ROOT)}: {name}" for path, name in imports_of(plane) if name in forbidden]
    assert not found


def test_models_know_no_server_no_database_no_orchestrator() -> None:
    found = [f"{path.relative_to(ROOT)}: {name}" for path, name in imports_of("models_ml") if name in NOT_IN_MODELS]
    assert not found


def test_the_dbt_folder_never_hides_the_installed_package() -> None:
    assert not list((ROOT / "dbt").rglob("*.py"))
    own = [path for plane in (*PLANES, "tests", "benchmarks") for path in (ROOT / plane).rglob("dbt.py")]
    assert not own
    assert not (ROOT / "dbt.py").exists()


def test_packages_are_listed_one_by_one_and_dbt_is_none_of_them() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert listed == set(PLANES)


def test_the_lock_file_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--hash=sha256:" in lock
