select
    src.id as redemption_id,
    src.code_id,
    src.promotion_id,
    src.version,
    src.order_id,
    src.customer_id,
    src.state as redemption_state,
    {{ minor_to_amount('src.discount_minor', 'shop.base_currency') }} as discount_amount,
    src.reserved_at,
    src.redeemed_at,
    src.released_at
from {{ source('raw', 'coupon_redemptions') }} as src
cross join {{ source('raw', 'shop_profile') }} as shop
