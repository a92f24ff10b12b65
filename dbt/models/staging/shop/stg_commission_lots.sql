select
    id as commission_lot_id,
    affiliate_id,
    order_id,
    order_line_id,
    rate_bp,
    currency,
    {{ minor_to_amount('net_minor', 'currency') }} as net_amount,
    state as commission_state,
    {{ minor_to_amount('amount_minor', 'currency') }} as commission_amount,
    {{ minor_to_amount('remaining_minor', 'currency') }} as remaining_amount,
    {{ minor_to_amount('paid_minor', 'currency') }} as paid_amount,
    earned_at,
    approvable_at,
    approved_at
from {{ source('raw', 'commission_lots') }}
