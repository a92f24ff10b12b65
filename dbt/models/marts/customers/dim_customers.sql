with earned as (
    select
        points.customer_id,
        sum(points.points) as points_earned
    from {{ ref('fct_points') }} as points
    cross join {{ ref('int_shop') }} as shop
    where points.kind in ('earn', 'reverse') and points.occurred_at <= shop.as_of
    group by points.customer_id
),

tiers as (
    select
        earned.customer_id,
        tiers.loyalty_tier
    from earned
    inner join {{ ref('loyalty_tiers') }} as tiers on earned.points_earned >= tiers.points_from
    qualify row_number() over (partition by earned.customer_id order by tiers.points_from desc) = 1
)

select
    customers.customer_id,
    sales.first_order_at,
    sales.last_order_at,
    sales.orders,
    customers.acquisition_channel,
    customers.country,
    customers.city,
    coalesce(tiers.loyalty_tier, 'none') as loyalty_tier,
    customers.marketing_consent,
    customers.is_guest,
    customers.source,
    customers.external_ref,
    customers.created_at
from {{ ref('stg_customers') }} as customers
inner join {{ ref('int_customer_sales') }} as sales on customers.customer_id = sales.customer_id
left join tiers on customers.customer_id = tiers.customer_id
