-- Which tier a customer had at the end of the shop's days: from a day until just before another. `none` is whoever has
-- earned nothing yet. Of several changes on one day the last counts.
with starts as (
    select
        periods.customer_id,
        periods.tier as loyalty_tier,
        {{ shop_day('periods.starts_at', 'shop.time_zone') }} as from_day,
        periods.starts_at
    from {{ ref('stg_loyalty_tier_periods') }} as periods
    cross join {{ ref('int_shop') }} as shop

    union all

    select distinct
        customer_id,
        'none' as loyalty_tier,
        cast('1970-01-01' as date) as from_day,
        cast('1970-01-01' as timestamp) as starts_at
    from {{ ref('int_point_steps') }}
),

lasting as (
    select
        customer_id,
        loyalty_tier,
        from_day,
        coalesce(
            lead(from_day) over (partition by customer_id order by starts_at, loyalty_tier),
            cast('9999-12-31' as date)
        ) as to_day
    from starts
)

select
    customer_id,
    loyalty_tier,
    from_day,
    to_day
from lasting
where from_day < to_day
