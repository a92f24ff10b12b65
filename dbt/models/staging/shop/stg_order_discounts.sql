select
    src.id as order_discount_id,
    src.order_id,
    src.order_line_id,
    src.promotion_id,
    src.version,
    src.code_id,
    src.discount_class,
    {{ minor_to_amount('src.amount_minor', 'shop.base_currency') }} as discount_amount
from {{ source('raw', 'order_discounts') }} as src
cross join {{ source('raw', 'shop_profile') }} as shop
