"""Great Expectations suites over bounded marts, one YAML file a mart.

Great Expectations reads pandas frames here: its SQL engine does not work on DuckDB. Only the columns under test are
fed; money columns come as whole hundredths, because a frame would turn decimals into floats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import yaml

from pipelines.audit_log import Severity
from pipelines.duck import identifier

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).parent / "suites"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that a mart must satisfy. `kind` is a Great Expectations type in snake case."""

    name: str
    kind: str
    arguments: Mapping[str, Any]
    severity: Severity
    why: str


@dataclass(frozen=True, slots=True)
class Suite:
    """The expectations of one mart, and the columns (or named SQL expressions) that they look at."""

    mart: str
    columns: Mapping[str, str]
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one expectation found. `unexpected` counts offending rows; `observed` says what was seen."""

    expectation: Expectation
    passed: bool
    unexpected: int
    observed: str


@lru_cache(maxsize=1)
def load() -> Mapping[str, Suite]:
    """Every suite, by mart."""
    suites = [_suite(path.stem, yaml.safe_load(path.read_text("utf-8"))) for path in sorted(FOLDER.glob("*.yml"))]
    return {suite.mart: suite for suite in suites}


def _suite(mart: str, document: Mapping[str, Any]) -> Suite:
    columns = {name: sql or identifier(name) for name, sql in document["columns"].items()}
    expectations = tuple(
        Expectation(
            name=entry["name"],
            kind=entry["expect"],
            arguments={key: value for key, value in entry.items() if key not in {"name", "expect", "severity", "why"}},
            severity="WARN" if entry.get("severity") == "warn" else "ERROR",
            why=entry["why"],
        )
        for entry in document["expectations"]
    )
    return Suite(mart, columns, expectations)


def frame(connection: duckdb.DuckDBPyConnection, suite: Suite) -> "pd.DataFrame":
    """The columns under test, decimals as whole hundredths."""
    selected = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in suite.columns.items())
    relation = connection.sql(f"SELECT {selected} FROM marts.{identifier(suite.mart)}")  # noqa: S608 - our own suites
    kinds = dict(zip(relation.columns, map(str, relation.types), strict=True))
    whole = ", ".join(
        f"CAST({identifier(name)} * 100 AS BIGINT) AS {identifier(name)}"
        if kind.startswith("DECIMAL")
        else identifier(name)
        for name, kind in kinds.items()
    )
    return relation.project(whole).df()


def validate(suite: Suite, rows: "pd.DataFrame") -> list[Outcome]:
    """Every expectation of the suite on these rows, in one validation."""
    import great_expectations as gx  # noqa: PLC0415 - takes seconds to import

    made = [_build(gx.expectations, expectation) for expectation in suite.expectations]
    result = _batch(gx, suite.mart, rows).validate(gx.ExpectationSuite(name=suite.mart, expectations=made))
    by_name = {entry.expectation_config.meta["check"]: entry for entry in result.results}
    return [_outcome(expectation, by_name[expectation.name]) for expectation in suite.expectations]


def _build(module: Any, expectation: Expectation) -> Any:
    camel = "".join(part.capitalize() for part in expectation.kind.split("_"))
    return getattr(module, camel)(**expectation.arguments, meta={"check": expectation.name})


def _batch(gx: Any, name: str, rows: "pd.DataFrame") -> Any:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    return asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": rows})


def _outcome(expectation: Expectation, entry: Any) -> Outcome:
    found = entry.result or {}
    if entry.exception_info and entry.exception_info.get("raised_exception"):
        return Outcome(expectation, passed=False, unexpected=0, observed=str(entry.exception_info["exception_message"]))
    observed = found.get("observed_value")
    if observed is None:
        observed = found.get("partial_unexpected_list", [])[:5]
    return Outcome(
        expectation,
        passed=bool(entry.success),
        unexpected=int(found.get("unexpected_count") or 0),
        observed=_short(observed),
    )


def _short(observed: object) -> str:
    if isinstance(observed, Sequence) and not isinstance(observed, str) and not observed:
        return "as expected"
    return str(observed)[:500]
