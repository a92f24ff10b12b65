{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='shipment_id',
    on_schema_change='fail',
    meta={'changed_table': 'shipments'},
) }}

select
    shipment_id,
    order_id,
    carrier as method,
    tracking_number,
    shipment_status as status,
    weight_grams,
    cost_amount as amount,
    created_at,
    shipped_at,
    delivered_at
from {{ ref('stg_shipments') }}
{% if is_incremental() -%}
    where shipment_id in ({{ changed_ids('shipments') }})
{%- endif %}
