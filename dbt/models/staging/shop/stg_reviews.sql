select
    id as review_id,
    customer_id,
    product_id,
    order_line_id,
    score,
    title,
    body,
    status as review_status,
    sentiment,
    sentiment_model,
    created_at,
    moderated_at
from {{ source('raw', 'reviews') }}
