select
    id as supplier_product_id,
    supplier_id,
    supplier_sku,
    variant_id,
    pack_size,
    minimum_quantity,
    {{ minor_to_amount('cost_minor', 'currency') }} as cost_amount,
    currency,
    lead_time_days,
    is_preferred,
    is_active
from {{ source('raw', 'supplier_products') }}
