"""Stage one: a build is seeded, and what the shop changed is merged into its `raw`."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import duckdb

from pipelines import audit_log, builds, contracts, predictions
from pipelines.assets.common import WRITER_POOL, raw, raw_ops, shop, shop_tables
from pipelines.builds import Options
from pipelines.duck import attached
from pipelines.errors import ShopUnreachable
from pipelines.extraction import ExtractionReport, TableReport, extract
from pipelines.progress import say
from pipelines.settings import from_environment

BOOK_KEEPING = ("extraction_cursor", "changed_keys", "extract_state")


class RefreshConfig(dg.Config):
    """What a refresh may be asked for."""

    full: bool = False
    reconcile: bool = False
    as_of: str | None = None
    accept_drift: bool = False

    def options(self) -> Options:
        """The same as the build carries it."""
        return Options(self.full, self.reconcile, self.as_of, self.accept_drift)


def _specs() -> list[dg.AssetSpec]:
    tables = [
        dg.AssetSpec(
            raw(table),
            deps=[shop(table)],
            group_name="raw",
            kinds={"duckdb"},
            description=f"`{table}` as the shop held it in the extraction's snapshot; contract in pipelines/contracts.",
        )
        for table in shop_tables()
    ]
    everything = [shop(table) for table in shop_tables()]
    return tables + [dg.AssetSpec(raw_ops(name), deps=everything, group_name="raw") for name in BOOK_KEEPING]


@dg.multi_asset(name="extract", specs=_specs(), pool=WRITER_POOL)
def extract_raw(context: dg.AssetExecutionContext, config: RefreshConfig) -> Iterator[dg.MaterializeResult[None]]:
    """Seed a build from the published one and merge the shop's changes into it, exactly once."""
    settings = from_environment()
    options = config.options()
    now = datetime.now(UTC)
    build = builds.seed(settings, now=now, run_id=context.run_id, options=options)
    say("build", f"{build.build_id}, seeded from {build.parent or 'nothing'}")
    report = extract(
        settings.database_url,
        build.path,
        now=now,
        full=options.full,
        reconcile_all=options.reconcile,
        on_table=_tell,
    )
    with attached(build.path) as warehouse:
        _require_profile(warehouse)
        predictions.create_tables(warehouse)
        audit_log.create_table(warehouse)
    say("extract", f"{report.rows_read:,} rows read, {report.rows_deleted:,} gone")
    yield from _results(report)


def _require_profile(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Currency and time zone of every figure come from the shop's profile, which its first trade writes."""
    row = warehouse.execute("SELECT count(*) FROM raw.shop_profile").fetchone()
    if row is None or row[0] == 0:
        raise ShopUnreachable("the shop has no profile yet, for it has never traded: import or simulate a history.")


def _tell(report: TableReport) -> None:
    if report.rows_read or report.rows_deleted:
        gone = f", {report.rows_deleted:,} gone" if report.rows_deleted else ""
        say("extract", f"  {report.table}: {report.rows_read:,} rows ({report.mode}){gone}")


def _results(report: ExtractionReport) -> Iterator[dg.MaterializeResult[None]]:
    by_table = {table.table: table for table in report.tables}
    for name in sorted(contracts.load()):
        table = by_table.get(name)
        metadata = {"rows_read": table.rows_read if table else 0, "rows_deleted": table.rows_deleted if table else 0}
        yield dg.MaterializeResult(asset_key=raw(name), metadata=metadata)
    for name in BOOK_KEEPING:
        metadata = {f"position of {feed}": position for feed, position in report.cursor.positions.items()}
        yield dg.MaterializeResult(asset_key=raw_ops(name), metadata=metadata)
