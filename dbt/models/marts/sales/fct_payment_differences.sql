select
    difference_id,
    gateway,
    figure,
    reference,
    gateway_payment_id,
    gateway_refund_id,
    order_id,
    currency,
    ours_amount,
    theirs_amount,
    {{ as_money('ours_amount - theirs_amount') }} as difference_amount,
    resolved_at is null as is_open,
    found_at,
    resolved_at
from {{ ref('stg_gateway_differences') }}
