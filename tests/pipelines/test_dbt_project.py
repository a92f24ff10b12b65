"""When the warehouse's tables have to be made anew: on request, and whenever other models than today's made them."""

import shutil
from pathlib import Path

import pytest

from pipelines import dbt_project
from pipelines.dbt_project import FOLDER, fingerprint, must_build_anew, record_built


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project's text that may be changed."""
    return Path(shutil.copytree(FOLDER, tmp_path / "dbt", ignore=shutil.ignore_patterns("target", "logs")))


@pytest.mark.parametrize(
    "path", ["models/marts/sales/fct_orders.sql", "models/marts/sales/fct_orders.yml", "macros/money.sql",
             "seeds/rfm_segments.csv", "dbt_project.yml"]
)  # fmt: skip
def test_whatever_decides_how_tables_look_is_in_the_fingerprint(project: Path, path: str) -> None:
    assert fingerprint(project) == fingerprint()
    changed = project / path
    changed.write_text(changed.read_text("utf-8") + "\n", "utf-8")
    assert fingerprint(project) != fingerprint()


def test_a_renamed_model_is_another_project(project: Path) -> None:
    (project / "models/intermediate/int_days.sql").rename(project / "models/intermediate/int_dates.sql")
    assert fingerprint(project) != fingerprint()


def test_tests_and_prose_are_not(project: Path) -> None:
    for path in ("tests/identities/lines_sum_to_orders.sql", "DECISIONS.md"):
        changed = project / path
        changed.write_text(changed.read_text("utf-8") + "\n", "utf-8")
    assert fingerprint(project) == fingerprint()


def test_tables_are_made_anew_when_asked_or_when_another_project_made_them(tmp_path: Path) -> None:
    build = tmp_path / "build.duckdb"
    assert must_build_anew(build, full=False)  # nobody left a word: an older house built it, or nobody
    record_built(build, dbt_project.fingerprint())
    assert not must_build_anew(build, full=False)
    assert must_build_anew(build, full=True)
    record_built(build, "another project")
    assert must_build_anew(build, full=False)
