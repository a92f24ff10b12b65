{{ config(tags=['audit']) }}

select
    run_id,
    check_name,
    asset,
    passed,
    severity,
    failed_rows,
    observed,
    checked_at
from {{ ref('stg_check_results') }}
