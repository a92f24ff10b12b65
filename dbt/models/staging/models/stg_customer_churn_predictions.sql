select
    customer_id,
    churn_probability,
    main_reasons,
    model_version,
    scored_at
from {{ source('raw_ml', 'customer_churn_predictions') }}
