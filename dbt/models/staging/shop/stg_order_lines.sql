select
    src.id as order_line_id,
    src.order_id,
    src.variant_id,
    src.product_id,
    src.sku,
    src.title,
    src.quantity,
    {{ minor_to_amount('src.unit_price_minor', 'shop.base_currency') }} as unit_price_amount,
    src.unit_price_micros,
    {{ minor_to_amount('src.gross_minor', 'shop.base_currency') }} as gross_amount,
    {{ minor_to_amount('src.line_discount_minor', 'shop.base_currency') }} as line_discount_amount,
    {{ minor_to_amount('src.order_discount_minor', 'shop.base_currency') }} as order_discount_amount,
    {{ minor_to_amount('src.points_discount_minor', 'shop.base_currency') }} as points_discount_amount,
    {{ minor_to_amount('src.tax_minor', 'shop.base_currency') }} as tax_amount,
    {{ minor_to_amount('src.net_minor', 'shop.base_currency') }} as net_amount,
    src.cancelled_quantity,
    src.shipped_quantity,
    src.delivered_quantity,
    src.came_back_quantity,
    src.returned_quantity,
    {{ minor_to_amount('src.refunded_minor', 'shop.base_currency') }} as refunded_amount
from {{ source('raw', 'order_lines') }} as src
cross join {{ source('raw', 'shop_profile') }} as shop
