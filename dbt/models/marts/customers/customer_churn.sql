{{ config(tags=['predictions']) }}

-- The population of the churn label: whoever ordered lately enough to be missed.
with population as (
    select
        sales.customer_id,
        {{ whole_days_between('sales.last_order_at', 'shop.as_of') }} as recency_days
    from {{ ref('int_customer_sales') }} as sales
    cross join {{ ref('int_shop') }} as shop
    where sales.last_order_at >= shop.as_of - interval {{ var('churn_activity_days') }} day
)

select
    population.customer_id,
    population.recency_days,
    predictions.churn_probability,
    case
        when predictions.churn_probability is null then 'unknown'
        when predictions.churn_probability >= {{ var('churn_high_from') }} then 'high'
        when predictions.churn_probability >= {{ var('churn_medium_from') }} then 'medium'
        else 'low'
    end as risk_band,
    predictions.main_reasons,
    coalesce(predictions.model_version, 'none') as model_version,
    predictions.scored_at
from population
left join {{ ref('stg_customer_churn_predictions') }} as predictions
    on population.customer_id = predictions.customer_id
