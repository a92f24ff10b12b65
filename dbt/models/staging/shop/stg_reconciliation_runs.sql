select
    id as reconciliation_run_id,
    gateway,
    window_start,
    window_end,
    state as run_state,
    payments_compared,
    refunds_compared,
    differences_open,
    error,
    started_at,
    finished_at
from {{ source('raw', 'reconciliation_runs') }}
