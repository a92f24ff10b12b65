select
    review_id,
    customer_id,
    product_id,
    order_line_id,
    score,
    title,
    body,
    review_status as status,
    sentiment,
    sentiment_model,
    created_at,
    moderated_at
from {{ ref('stg_reviews') }}
