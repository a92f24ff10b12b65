select
    id as purchase_receipt_id,
    purchase_order_id,
    location_id,
    received_at
from {{ source('raw', 'purchase_receipts') }}
