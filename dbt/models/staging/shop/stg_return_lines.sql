select
    src.id as return_line_id,
    src.return_id,
    src.order_line_id,
    src.variant_id,
    src.product_id,
    src.quantity,
    {{ minor_to_amount('src.refund_minor', 'shop.base_currency') }} as refund_amount,
    src.restock
from {{ source('raw', 'return_lines') }} as src
cross join {{ source('raw', 'shop_profile') }} as shop
