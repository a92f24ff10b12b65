select
    id as variant_id,
    product_id,
    sku,
    name as variant_name,
    weight_grams,
    inventory_policy,
    is_default,
    is_active
from {{ source('raw', 'product_variants') }}
