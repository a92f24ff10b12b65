select
    id as hold_id,
    variant_id,
    location_id,
    order_id,
    bundle_variant_id,
    quantity,
    state as hold_state,
    created_at,
    expires_at,
    closed_at
from {{ source('raw', 'stock_holds') }}
