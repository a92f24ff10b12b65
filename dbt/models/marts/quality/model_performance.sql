{{ config(tags=['predictions']) }}

select
    model_name as model,
    model_version as version,
    metric_name as metric,
    metric_slice as slice,
    metric_value as value,
    value_low as low,
    value_high as high,
    sample_size as n,
    trained_at,
    data_through,
    is_champion
from {{ ref('stg_model_metrics') }}
