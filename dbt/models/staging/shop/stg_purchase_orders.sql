select
    id as purchase_order_id,
    purchase_number,
    supplier_id,
    location_id,
    currency,
    status as purchase_status,
    origin,
    created_at,
    placed_at,
    expected_at,
    received_at,
    closed_at,
    cancelled_at
from {{ source('raw', 'purchase_orders') }}
