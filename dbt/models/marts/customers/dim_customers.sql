with tiers as (
    select
        periods.customer_id,
        periods.tier
    from {{ ref('stg_loyalty_tier_periods') }} as periods
    cross join {{ ref('int_shop') }} as shop
    where periods.starts_at <= shop.as_of
    qualify row_number() over (partition by periods.customer_id order by periods.starts_at desc) = 1
)

select
    customers.customer_id,
    sales.first_order_at,
    sales.last_order_at,
    sales.orders,
    customers.acquisition_channel,
    customers.country,
    customers.city,
    coalesce(tiers.tier, 'none') as loyalty_tier,
    customers.marketing_consent,
    customers.is_guest,
    customers.source,
    customers.external_ref,
    customers.created_at
from {{ ref('stg_customers') }} as customers
inner join {{ ref('int_customer_sales') }} as sales on customers.customer_id = sales.customer_id
left join tiers on customers.customer_id = tiers.customer_id
