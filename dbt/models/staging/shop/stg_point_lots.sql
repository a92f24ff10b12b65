select
    id as lot_id,
    customer_id,
    programme_id,
    wallet,
    source as lot_source,
    restored_from_id,
    order_line_id,
    state as lot_state,
    amount,
    remaining,
    earned_at,
    available_at,
    expires_at
from {{ source('raw', 'point_lots') }}
