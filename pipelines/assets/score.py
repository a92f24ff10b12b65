"""Stage three: the champions are asked about the customers of the fresh build."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from pipelines import faults, predictions
from pipelines.assets.common import WRITER_POOL, build_of, mart, raw_ml
from pipelines.duck import attached
from pipelines.progress import say
from pipelines.settings import from_environment

_READS = [mart("dim_shop"), mart("fct_orders")]
_SPECS = [dg.AssetSpec(raw_ml(table), deps=_READS, group_name="predictions") for table in predictions.COLUMNS]


@dg.multi_asset(name="score", specs=_SPECS, pool=WRITER_POOL)
def score_customers(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Let every champion speak about every customer; without a model the tables are empty."""
    settings = from_environment()
    build = build_of(context, settings)
    rows = dict.fromkeys(predictions.COLUMNS, 0)
    with attached(build.path) as warehouse:
        if (settings.mlflow / "mlflow.db").exists():
            from pipelines.registry import Registry  # noqa: PLC0415 - MLflow takes seconds to import
            from pipelines.scoring import score  # noqa: PLC0415

            for said in score(warehouse, Registry(settings), now=datetime.now(UTC)):
                version = f"version {said.version}" if said.version else "no champion"
                say("score", f"{said.model}: {said.rows:,} customers ({version})")
        else:
            for table in predictions.COLUMNS:
                predictions.store(warehouse, table, None)
            say("score", "no models yet")
        for table in predictions.COLUMNS:
            row = warehouse.execute(f'SELECT count(*) FROM raw_ml."{table}"').fetchone()  # noqa: S608
            rows[table] = int(row[0]) if row else 0
    faults.reach("after_score")
    for table, count in rows.items():
        yield dg.MaterializeResult(asset_key=raw_ml(table), metadata={"rows": count})
