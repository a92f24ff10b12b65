select
    id as change_id,
    order_id,
    kind as change_kind,
    status as change_status,
    reason as change_reason,
    currency,
    {{ minor_to_amount('added_minor', 'currency') }} as added_amount,
    {{ minor_to_amount('given_up_minor', 'currency') }} as given_up_amount,
    {{ minor_to_amount('difference_minor', 'currency') }} as difference_amount,
    created_at,
    expires_at,
    applied_at,
    declined_at
from {{ source('raw', 'order_changes') }}
