with offers as (
    select
        codes.promotion_id,
        {{ offer_key('codes.code_id', 'codes.batch_id') }} as offer_key,
        coalesce('batch ' || min(batches.batch_name), min(codes.coupon_code)) as offer_label,
        count(*) as codes
    from {{ ref('stg_coupon_codes') }} as codes
    left join {{ ref('stg_coupon_batches') }} as batches on codes.batch_id = batches.batch_id
    group by 1, 2

    union all

    -- An offer that lost its code, or was automatic once, keeps the row of its uses.
    select
        promotions.promotion_id,
        'automatic' as offer_key,
        'automatic' as offer_label,
        0 as codes
    from {{ ref('stg_promotions') }} as promotions
    where
        promotions.is_automatic
        or promotions.promotion_id in (
            select uses.promotion_id from {{ ref('int_offer_uses') }} as uses
            where uses.offer_key = 'automatic'
        )
),

used as (
    select
        promotion_id,
        offer_key,
        count(*) as uses,
        count(distinct customer_id) as customers,
        sum(case when is_first_order then 1 else 0 end) as new_customers,
        sum(gross_merchandise) as gross_merchandise,
        sum(sold_merchandise) as revenue,
        sum(discount_amount) as discount_cost,
        min(placed_at) as first_used_at,
        max(placed_at) as last_used_at
    from {{ ref('int_offer_uses') }}
    group by 1, 2
)

select
    offers.promotion_id,
    offers.offer_key,
    promotions.promotion_name,
    offers.offer_label,
    promotions.promotion_kind,
    promotions.discount_class,
    promotions.promotion_status as status,
    offers.offer_key = 'automatic' as is_automatic,
    cast(offers.codes as bigint) as codes,
    cast(coalesce(used.uses, 0) as bigint) as uses,
    cast(coalesce(used.customers, 0) as bigint) as customers,
    cast(coalesce(used.new_customers, 0) as bigint) as new_customers,
    {{ as_money('used.gross_merchandise') }} as gross_merchandise,
    {{ as_money('used.revenue') }} as revenue,
    {{ as_money('used.discount_cost') }} as discount_cost,
    {{ ratio('used.discount_cost', 'used.gross_merchandise') }} as discount_rate,
    case when used.uses > 0 then cast(used.revenue / used.uses as decimal(18, 2)) end as average_basket,
    used.first_used_at,
    used.last_used_at,
    case
        when uplift.is_measured then 'measured'
        when promotions.holdout_bp > 0 or uplift.promotion_id is not null then 'too few people'
        else 'no control group'
    end as uplift_state,
    coalesce(uplift.treated_people, 0) as treated_people,
    coalesce(uplift.held_out_people, 0) as held_out_people,
    uplift.treated_per_person,
    uplift.held_out_per_person,
    uplift.uplift_per_person,
    uplift.uplift_low,
    uplift.uplift_high,
    uplift.uplift_rate
from offers
inner join {{ ref('stg_promotions') }} as promotions on offers.promotion_id = promotions.promotion_id
left join used on offers.promotion_id = used.promotion_id and offers.offer_key = used.offer_key
left join {{ ref('int_promotion_uplift') }} as uplift on offers.promotion_id = uplift.promotion_id
