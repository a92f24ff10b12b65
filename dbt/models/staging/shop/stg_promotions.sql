select
    src.id as promotion_id,
    src.name as promotion_name,
    src.version,
    src.kind as promotion_kind,
    src.discount_class,
    src.percent_bp,
    {{ minor_to_amount('src.max_discount_minor', 'shop.base_currency') }} as max_discount_amount,
    {{ minor_to_amount('src.min_spend_minor', 'shop.base_currency') }} as min_spend_amount,
    src.priority,
    src.is_automatic,
    src.usage_limit,
    src.per_customer_limit,
    src.used,
    src.holdout_bp,
    src.status as promotion_status,
    src.starts_at,
    src.ends_at
from {{ source('raw', 'promotions') }} as src
cross join {{ source('raw', 'shop_profile') }} as shop
