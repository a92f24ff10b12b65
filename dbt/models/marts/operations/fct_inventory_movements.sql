{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='movement_id',
    on_schema_change='fail',
    meta={'changed_table': 'stock_movements'},
) }}

select
    movements.movement_id,
    movements.variant_id,
    variants.product_id,
    movements.location_id,
    movements.movement_kind as kind,
    movements.quantity,
    movements.order_line_id,
    movements.return_line_id,
    movements.purchase_receipt_line_id,
    movements.transfer_id,
    movements.reason,
    movements.occurred_at
from {{ ref('stg_stock_movements') }} as movements
left join {{ ref('stg_product_variants') }} as variants on movements.variant_id = variants.variant_id
{% if is_incremental() -%}
    where
        movements.movement_id in ({{ changed_ids('stock_movements') }})
        or movements.variant_id in ({{ changed_ids('product_variants') }})
{%- endif %}
