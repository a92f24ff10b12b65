select
    src.id as programme_id,
    src.version,
    {{ minor_to_amount('src.value_per_point_minor', 'shop.base_currency') }} as value_per_point_amount,
    src.expiry_days,
    src.valid_from
from {{ source('raw', 'loyalty_programmes') }} as src
cross join {{ source('raw', 'shop_profile') }} as shop
