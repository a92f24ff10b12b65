select
    discounts.order_discount_id,
    discounts.order_id,
    discounts.order_line_id,
    orders.customer_id,
    discounts.promotion_id,
    promotions.promotion_name,
    discounts.version,
    discounts.code_id,
    codes.coupon_code,
    discounts.code_id is null as is_automatic,
    discounts.discount_class,
    discounts.discount_amount as amount,
    orders.is_sale,
    orders.placed_at,
    orders.order_day
from {{ ref('stg_order_discounts') }} as discounts
-- Test orders are in no mart.
inner join {{ ref('fct_orders') }} as orders on discounts.order_id = orders.order_id
left join {{ ref('stg_promotions') }} as promotions on discounts.promotion_id = promotions.promotion_id
left join {{ ref('stg_coupon_codes') }} as codes on discounts.code_id = codes.code_id
