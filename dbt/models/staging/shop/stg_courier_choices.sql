select
    src.id as courier_choice_id,
    src.shipment_id,
    src.attempt,
    src.courier_id,
    src.courier_name,
    src.rank as courier_rank,
    src.chosen as is_chosen,
    src.excluded_because,
    {{ minor_to_amount('src.rate_minor', 'shop.base_currency') }} as rate_amount,
    src.rto_probability_bp,
    {{ minor_to_amount('src.predicted_cost_minor', 'shop.base_currency') }} as predicted_cost_amount,
    src.estimated_days
from {{ source('raw', 'courier_choices') }} as src
cross join {{ source('raw', 'shop_profile') }} as shop
