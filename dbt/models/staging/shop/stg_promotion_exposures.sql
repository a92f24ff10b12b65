select
    src.id as exposure_id,
    src.promotion_id,
    src.version,
    src.person_hash,
    src.arm,
    src.is_applied,
    src.order_id,
    src.at as exposed_at
from {{ source('raw', 'promotion_exposures') }} as src
