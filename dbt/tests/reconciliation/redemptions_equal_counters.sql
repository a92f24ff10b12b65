-- A code's counter is the number of its live uses; so is a promotion's, where the promotion itself has a limit.
with live as (
    select
        code_id,
        promotion_id
    from {{ ref('fct_coupon_redemptions') }}
    where status in ('reserved', 'redeemed')
),

of_codes as (
    select
        code_id,
        count(*) as uses
    from live
    where code_id is not null
    group by code_id
),

of_promotions as (
    select
        promotion_id,
        count(*) as uses
    from live
    group by promotion_id
)

select
    'code ' || codes.coupon_code as counter,
    codes.used,
    of_codes.uses
from {{ ref('stg_coupon_codes') }} as codes
left join of_codes on codes.code_id = of_codes.code_id
where codes.used <> coalesce(of_codes.uses, 0)

union all

select
    'promotion ' || promotions.promotion_name as counter,
    promotions.used,
    of_promotions.uses
from {{ ref('stg_promotions') }} as promotions
left join of_promotions on promotions.promotion_id = of_promotions.promotion_id
where
    (promotions.usage_limit is not null or promotions.per_customer_limit is not null)
    and promotions.used <> coalesce(of_promotions.uses, 0)
