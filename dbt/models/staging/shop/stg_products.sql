select
    id as product_id,
    slug,
    name as product_name,
    category_id,
    gift_tier,
    gift_tier_source,
    hsn_code,
    tax_rate_bp,
    is_active,
    is_customisable,
    created_at,
    updated_at
from {{ source('raw', 'products') }}
