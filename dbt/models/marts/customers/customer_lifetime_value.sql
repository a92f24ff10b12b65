{{ config(tags=['predictions']) }}

with predictions as (
    select
        predictions.*,
        {{ part_of('predictions.predicted_value_365d', 10) }} as value_decile
    from {{ ref('stg_customer_value_predictions') }} as predictions
    inner join {{ ref('int_customer_sales') }} as sales on predictions.customer_id = sales.customer_id
)

select
    sales.customer_id,
    sales.net_merchandise as historic_value,
    sales.orders,
    predictions.probability_alive,
    predictions.expected_orders_90d,
    predictions.expected_orders_365d,
    predictions.expected_order_value,
    predictions.predicted_value_365d,
    predictions.value_low,
    predictions.value_high,
    predictions.value_decile,
    coalesce(predictions.model_version, 'none') as model_version,
    predictions.scored_at
from {{ ref('int_customer_sales') }} as sales
left join predictions on sales.customer_id = predictions.customer_id
