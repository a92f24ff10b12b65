select
    customer_id,
    probability_alive,
    expected_orders_90d,
    expected_orders_365d,
    cast(expected_order_value as decimal(18, 2)) as expected_order_value,
    cast(predicted_value_365d as decimal(18, 2)) as predicted_value_365d,
    cast(value_low as decimal(18, 2)) as value_low,
    cast(value_high as decimal(18, 2)) as value_high,
    model_version,
    scored_at
from {{ source('raw_ml', 'customer_value_predictions') }}
