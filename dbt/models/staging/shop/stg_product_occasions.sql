select
    id as product_occasion_id,
    product_id,
    occasion_id
from {{ source('raw', 'product_occasions') }}
