select
    id as return_id,
    order_id,
    customer_id,
    status as return_status,
    reason as return_reason,
    {{ minor_to_amount('refund_minor', 'currency') }} as refund_amount,
    currency,
    source,
    external_ref,
    requested_at,
    processed_at
from {{ source('raw', 'returns') }}
