select
    src.id as purchase_order_line_id,
    src.purchase_order_id,
    src.supplier_product_id,
    src.variant_id,
    src.quantity,
    {{ minor_to_amount('src.unit_cost_minor', 'orders.currency') }} as unit_cost_amount,
    src.received_quantity,
    src.damaged_quantity,
    src.short_quantity,
    src.created_at
from {{ source('raw', 'purchase_order_lines') }} as src
inner join {{ source('raw', 'purchase_orders') }} as orders on src.purchase_order_id = orders.id
