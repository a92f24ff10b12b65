-- What an offer with a hold-out brings: merchandise sold per person to those who could have it (whether or not they
-- took it) against those who were left out by lot. Difference of the two means; its standard error is
-- sqrt(s²/n of one + s²/n of the other) (Welch). Whoever changed arms, because the share was changed, counts in none.
with people as (
    select
        exposures.promotion_id,
        exposures.person_hash,
        min(exposures.arm) as arm,
        count(distinct exposures.arm) as arms,
        cast(sum(case when orders.is_sale then orders.sold_merchandise else 0 end) as double) as sold_merchandise
    from {{ ref('stg_promotion_exposures') }} as exposures
    left join {{ ref('fct_orders') }} as orders on exposures.order_id = orders.order_id
    -- Test orders are in no mart, and their people neither.
    where exposures.order_id is null or orders.order_id is not null
    group by exposures.promotion_id, exposures.person_hash
),

arms as (
    select
        promotion_id,
        sum(case when arm = 'treated' then 1 else 0 end) as treated_people,
        sum(case when arm = 'held_out' then 1 else 0 end) as held_out_people,
        avg(case when arm = 'treated' then sold_merchandise end) as treated_mean,
        avg(case when arm = 'held_out' then sold_merchandise end) as held_out_mean,
        var_samp(case when arm = 'treated' then sold_merchandise end) as treated_variance,
        var_samp(case when arm = 'held_out' then sold_merchandise end) as held_out_variance
    from people
    where arms = 1
    group by promotion_id
),

compared as (
    select
        *,
        treated_people >= {{ var('uplift_min_people') }}
        and held_out_people >= {{ var('uplift_min_people') }} as is_measured,
        treated_mean - held_out_mean as difference,
        {{ var('uplift_standard_errors') }}
        * sqrt(treated_variance / treated_people + held_out_variance / held_out_people) as half_width
    from arms
)

select
    promotion_id,
    cast(treated_people as bigint) as treated_people,
    cast(held_out_people as bigint) as held_out_people,
    is_measured,
    cast(treated_mean as decimal(18, 2)) as treated_per_person,
    cast(held_out_mean as decimal(18, 2)) as held_out_per_person,
    case when is_measured then cast(difference as decimal(18, 2)) end as uplift_per_person,
    case when is_measured then cast(difference - half_width as decimal(18, 2)) end as uplift_low,
    case when is_measured then cast(difference + half_width as decimal(18, 2)) end as uplift_high,
    case when is_measured then {{ ratio('difference', 'held_out_mean') }} end as uplift_rate
from compared
