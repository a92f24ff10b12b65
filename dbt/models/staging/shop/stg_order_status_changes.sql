select
    id as status_change_id,
    order_id,
    from_status,
    to_status,
    actor,
    reason as change_reason,
    occurred_at
from {{ source('raw', 'order_status_changes') }}
