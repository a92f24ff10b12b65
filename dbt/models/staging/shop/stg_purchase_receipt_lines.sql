select
    id as purchase_receipt_line_id,
    purchase_receipt_id,
    purchase_order_line_id,
    quantity,
    damaged_quantity,
    short_quantity
from {{ source('raw', 'purchase_receipt_lines') }}
