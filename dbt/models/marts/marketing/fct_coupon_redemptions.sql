select
    redemptions.redemption_id,
    redemptions.code_id,
    codes.coupon_code,
    redemptions.promotion_id,
    promotions.promotion_name,
    redemptions.order_id,
    redemptions.customer_id,
    redemptions.redemption_state as status,
    redemptions.discount_amount as amount,
    redemptions.reserved_at,
    redemptions.redeemed_at,
    redemptions.released_at
from {{ ref('stg_coupon_redemptions') }} as redemptions
left join {{ ref('stg_coupon_codes') }} as codes on redemptions.code_id = codes.code_id
left join {{ ref('stg_promotions') }} as promotions on redemptions.promotion_id = promotions.promotion_id
