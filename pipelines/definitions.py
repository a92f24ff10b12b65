"""What `dagster dev -m pipelines.definitions` shows; everything is defined elsewhere."""

import dagster as dg

from pipelines import jobs
from pipelines.assets.extract import extract_raw
from pipelines.assets.publish import snapshot
from pipelines.assets.quality import CHECKS, record_audit
from pipelines.assets.score import score_customers
from pipelines.assets.surroundings import answer_specs, page_specs, shop_specs
from pipelines.assets.training import MODELS
from pipelines.assets.warehouse import dbt_resource, prediction_models, warehouse_models

defs = dg.Definitions(
    assets=[
        *shop_specs(),
        extract_raw,
        warehouse_models,
        score_customers,
        prediction_models,
        record_audit,
        snapshot,
        *MODELS,
        *page_specs(),
        *answer_specs(),
    ],
    asset_checks=CHECKS,
    jobs=[jobs.refresh, jobs.train],
    schedules=jobs.schedules,
    sensors=[jobs.tell_someone],
    resources={"dbt": dbt_resource()},
)
