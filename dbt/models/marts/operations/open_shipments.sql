select
    shipments.shipment_id,
    shipments.order_id,
    orders.order_number,
    shipments.shipment_kind as kind,
    coalesce(shipments.courier_name, shipments.carrier) as courier,
    shipments.tracking_number,
    shipments.zone,
    shipments.shipment_status as status,
    coalesce(shipments.problem, shipments.halted_reason) as problem,
    shipments.shipped_at is null as is_waiting_for_pickup,
    coalesce(shipments.expected_delivery_at < shop.as_of, false) as is_late,
    case
        when shipments.expected_delivery_at < shop.as_of
            then {{ hours_between('shipments.expected_delivery_at', 'shop.as_of') }} / 24
    end as days_late,
    {{ hours_between('shipments.created_at', 'shop.as_of') }} / 24 as age_days,
    shipments.cod_amount,
    shipments.created_at,
    shipments.shipped_at,
    shipments.expected_delivery_at
from {{ ref('stg_shipments') }} as shipments
inner join {{ ref('stg_orders') }} as orders on shipments.order_id = orders.order_id
cross join {{ ref('int_shop') }} as shop
where
    not orders.is_test
    and shipments.created_at <= shop.as_of
    and shipments.shipment_status not in ({{ final_shipment_statuses() }})
