select
    id as change_line_id,
    change_id,
    action as change_action,
    order_line_id,
    variant_id,
    product_id,
    quantity
from {{ source('raw', 'order_change_lines') }}
