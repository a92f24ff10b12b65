with receipts as (
    select
        lines.purchase_order_line_id,
        min(receipts.received_at) as first_received_at,
        max(receipts.received_at) as last_received_at
    from {{ ref('stg_purchase_receipt_lines') }} as lines
    inner join {{ ref('stg_purchase_receipts') }} as receipts
        on lines.purchase_receipt_id = receipts.purchase_receipt_id
    group by lines.purchase_order_line_id
),

lines as (
    select
        lines.*,
        case
            when orders.purchase_status in ('placed', 'partially_received')
                then greatest(
                        lines.quantity - lines.received_quantity - lines.damaged_quantity - lines.short_quantity, 0
                    )
            else 0
        end as outstanding_quantity
    from {{ ref('stg_purchase_order_lines') }} as lines
    inner join {{ ref('stg_purchase_orders') }} as orders on lines.purchase_order_id = orders.purchase_order_id
)

select
    lines.purchase_order_line_id,
    lines.purchase_order_id,
    orders.purchase_number,
    orders.supplier_id,
    suppliers.supplier_name,
    orders.location_id,
    lines.variant_id,
    variants.product_id,
    variants.sku,
    articles.supplier_sku,
    orders.purchase_status as status,
    orders.origin,
    orders.currency,
    lines.quantity,
    lines.received_quantity,
    lines.damaged_quantity,
    lines.short_quantity,
    cast(lines.outstanding_quantity as bigint) as outstanding_quantity,
    lines.unit_cost_amount,
    cast(lines.quantity * lines.unit_cost_amount as decimal(18, 2)) as ordered_amount,
    cast(lines.received_quantity * lines.unit_cost_amount as decimal(18, 2)) as received_amount,
    cast(lines.outstanding_quantity * lines.unit_cost_amount as decimal(18, 2)) as outstanding_amount,
    lines.outstanding_quantity > 0 and coalesce(orders.expected_at < shop.as_of, false) as is_overdue,
    case
        when lines.outstanding_quantity > 0 and orders.expected_at < shop.as_of
            then {{ hours_between('orders.expected_at', 'shop.as_of') }} / 24
    end as days_overdue,
    {{ hours_between('orders.placed_at', 'receipts.last_received_at') }} / 24 as days_to_receive,
    orders.created_at,
    orders.placed_at,
    orders.expected_at,
    receipts.first_received_at,
    receipts.last_received_at,
    orders.closed_at,
    orders.cancelled_at
from lines
inner join {{ ref('stg_purchase_orders') }} as orders on lines.purchase_order_id = orders.purchase_order_id
inner join {{ ref('stg_suppliers') }} as suppliers on orders.supplier_id = suppliers.supplier_id
inner join {{ ref('stg_supplier_products') }} as articles
    on lines.supplier_product_id = articles.supplier_product_id
left join {{ ref('stg_product_variants') }} as variants on lines.variant_id = variants.variant_id
left join receipts on lines.purchase_order_line_id = receipts.purchase_order_line_id
cross join {{ ref('int_shop') }} as shop
