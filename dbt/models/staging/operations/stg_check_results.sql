select
    run_id,
    check_name,
    asset,
    passed,
    severity,
    failed_rows,
    observed,
    checked_at
from {{ source('raw_ops', 'check_results') }}
