select
    id as shipment_item_id,
    shipment_id,
    order_line_id,
    quantity
from {{ source('raw', 'shipment_items') }}
