select
    id as difference_id,
    gateway,
    kind as figure,
    reference,
    gateway_payment_id,
    gateway_refund_id,
    order_id,
    currency,
    {{ minor_to_amount('ours_minor', 'currency') }} as ours_amount,
    {{ minor_to_amount('theirs_minor', 'currency') }} as theirs_amount,
    found_at,
    resolved_at
from {{ source('raw', 'gateway_differences') }}
