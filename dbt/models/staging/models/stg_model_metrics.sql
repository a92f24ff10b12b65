select
    model as model_name,
    version as model_version,
    metric as metric_name,
    slice as metric_slice,
    value as metric_value,
    low as value_low,
    high as value_high,
    n as sample_size,
    trained_at,
    data_through,
    is_champion
from {{ source('raw_ml', 'model_metrics') }}
