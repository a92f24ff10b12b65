"""What the stages share: the pool that admits one writer, and asset keys."""

import dagster as dg

from pipelines import builds, contracts
from pipelines.builds import Build
from pipelines.settings import Settings

WRITER_POOL = "duckdb_writer"
"""DuckDB admits one writing process a file: every step that opens a build waits for this pool (limit 1)."""

SNAPSHOT = dg.AssetKey(["published", "snapshot"])


def shop(table: str) -> dg.AssetKey:
    """A table of the shop, which the shop alone writes."""
    return dg.AssetKey(["shop", table])


def raw(table: str) -> dg.AssetKey:
    """Its copy in a build."""
    return dg.AssetKey(["raw", table])


def raw_ops(table: str) -> dg.AssetKey:
    """The build's book-keeping."""
    return dg.AssetKey(["raw_ops", table])


def raw_ml(table: str) -> dg.AssetKey:
    """What models said."""
    return dg.AssetKey(["raw_ml", table])


def mart(name: str) -> dg.AssetKey:
    """A mart in a build."""
    return dg.AssetKey(["marts", name])


def shop_tables() -> list[str]:
    """Every table that leaves the shop."""
    return sorted(contracts.load())


def build_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, settings: Settings) -> Build:
    """The build that this run works on; a run that goes on where another failed works on that one's build."""
    run = context.run
    return builds.of_run(settings, run.root_run_id or run.run_id)
