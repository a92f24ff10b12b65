with figures as (
    select
        sales.customer_id,
        sales.orders as frequency,
        sales.net_merchandise as monetary,
        {{ whole_days_between('sales.last_order_at', 'shop.as_of') }} as recency_days
    from {{ ref('int_customer_sales') }} as sales
    cross join {{ ref('int_shop') }} as shop
),

-- Quintiles over customers with at least one order; the more recent the order, the better.
scored as (
    select
        customer_id,
        {{ part_of('recency_days desc', 5) }} as r_score,
        {{ part_of('frequency', 5) }} as f_score,
        {{ part_of('monetary', 5) }} as m_score
    from figures
    where frequency > 0
)

select
    figures.customer_id,
    figures.recency_days,
    figures.frequency,
    figures.monetary,
    scored.r_score,
    scored.f_score,
    scored.m_score,
    coalesce(segments.rfm_segment, 'prospects') as rfm_segment
from figures
left join scored on figures.customer_id = scored.customer_id
left join {{ ref('rfm_segments') }} as segments
    on
        scored.r_score between segments.r_from and segments.r_to
        and scored.f_score between segments.f_from and segments.f_to
        and scored.m_score between segments.m_from and segments.m_to
