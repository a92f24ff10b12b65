select
    id as refund_id,
    payment_id,
    order_id,
    return_id,
    gateway_refund_id,
    status as refund_status,
    {{ minor_to_amount('amount_minor', 'currency') }} as amount,
    currency,
    reason as refund_reason,
    created_at,
    processed_at,
    failed_at
from {{ source('raw', 'refunds') }}
