select
    id as movement_id,
    variant_id,
    location_id,
    kind as movement_kind,
    quantity,
    order_line_id,
    return_line_id,
    purchase_receipt_line_id,
    transfer_id,
    reason,
    occurred_at
from {{ source('raw', 'stock_movements') }}
