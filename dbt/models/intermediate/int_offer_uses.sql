-- One use of an offer by an order that counts in figures. Orders from before discounts were kept rule by rule say only
-- that they used a code and what it gave. Codes of one batch are one offer: each of them is used once.
with discounts as (
    select
        order_id,
        promotion_id,
        max(code_id) as code_id,
        sum(amount) as discount_amount
    from {{ ref('fct_order_discounts') }}
    group by order_id, promotion_id
),

uses as (
    select
        order_id,
        promotion_id,
        code_id,
        discount_amount
    from discounts

    union all

    select
        redemptions.order_id,
        redemptions.promotion_id,
        redemptions.code_id,
        redemptions.discount_amount
    from {{ ref('stg_coupon_redemptions') }} as redemptions
    left join discounts
        on redemptions.order_id = discounts.order_id and redemptions.promotion_id = discounts.promotion_id
    where discounts.order_id is null and redemptions.redemption_state in ('reserved', 'redeemed')
)

select
    uses.promotion_id,
    {{ offer_key('uses.code_id', 'codes.batch_id') }} as offer_key,
    uses.order_id,
    orders.customer_id,
    orders.is_first_order,
    orders.placed_at,
    orders.order_day,
    orders.gross_merchandise,
    orders.sold_merchandise,
    uses.discount_amount
from uses
inner join {{ ref('fct_orders') }} as orders on uses.order_id = orders.order_id
left join {{ ref('stg_coupon_codes') }} as codes on uses.code_id = codes.code_id
where orders.is_sale
