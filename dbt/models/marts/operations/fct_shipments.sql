{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='shipment_id',
    on_schema_change='fail',
    meta={'changed_table': 'shipments'},
) }}

with affected as (
    select *
    from {{ ref('stg_shipments') }}
    {% if is_incremental() -%}
        where
            shipment_id in ({{ changed_ids('shipments') }})
            or shipment_id in (
                select items.shipment_id
                from {{ ref('stg_shipment_items') }} as items
                where items.shipment_item_id in ({{ touched_ids('shipment_items') }})
            )
            or {{ some_vanished('shipment_items') }}
    {%- endif %}
),

contents as (
    select
        items.shipment_id,
        sum(items.quantity) as units
    from {{ ref('stg_shipment_items') }} as items
    where items.shipment_id in (select affected.shipment_id from affected)
    group by items.shipment_id
)

select
    shipments.shipment_id,
    shipments.order_id,
    shipments.shipment_kind as kind,
    shipments.return_of_shipment_id,
    shipments.carrier as method,
    coalesce(shipments.courier_name, shipments.carrier) as courier,
    shipments.tracking_number,
    shipments.shipment_status as status,
    shipments.problem,
    shipments.zone,
    cast(coalesce(contents.units, 0) as bigint) as units,
    shipments.weight_grams,
    shipments.volumetric_grams,
    shipments.chargeable_grams,
    shipments.charged_grams,
    shipments.declared_amount,
    shipments.cod_amount,
    shipments.quoted_amount,
    shipments.predicted_cost_amount,
    shipments.cost_amount as amount,
    case
        when shipments.delivered_at is not null and shipments.expected_delivery_at is not null
            then shipments.delivered_at > shipments.expected_delivery_at
    end as is_late,
    shipments.rto_initiated_at is not null
    or shipments.shipment_status in ('rto_initiated', 'rto_in_transit', 'rto_delivered') as is_rto,
    shipments.shipment_status in ({{ final_shipment_statuses() }}) as is_finished,
    {{ hours_between('shipments.created_at', 'shipments.shipped_at') }} as hours_to_hand_over,
    {{ hours_between('shipments.shipped_at', 'shipments.delivered_at') }} as hours_to_deliver,
    {{ shop_day('shipments.shipped_at', 'shop.time_zone') }} as shipped_day,
    shipments.expected_delivery_at,
    shipments.created_at,
    shipments.awb_assigned_at,
    shipments.pickup_scheduled_at,
    shipments.label_printed_at,
    shipments.manifested_at,
    shipments.shipped_at,
    shipments.in_transit_at,
    shipments.out_for_delivery_at,
    shipments.undelivered_at,
    shipments.delivered_at,
    shipments.rto_initiated_at,
    shipments.rto_in_transit_at,
    shipments.rto_delivered_at,
    shipments.cancelled_at,
    shipments.lost_at,
    shipments.damaged_at
from affected as shipments
cross join {{ ref('int_shop') }} as shop
left join contents on shipments.shipment_id = contents.shipment_id
