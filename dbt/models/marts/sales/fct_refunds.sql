select
    refunds.refund_id,
    refunds.payment_id,
    refunds.order_id,
    refunds.return_id,
    refunds.gateway_refund_id,
    payments.gateway,
    payments.payment_method as method,
    refunds.refund_status as status,
    refunds.refund_reason as reason,
    refunds.currency,
    refunds.amount,
    refunds.created_at,
    refunds.processed_at,
    refunds.failed_at,
    {{ hours_between('refunds.created_at', 'refunds.processed_at') }} as hours_to_process
from {{ ref('stg_refunds') }} as refunds
left join {{ ref('stg_payments') }} as payments on refunds.payment_id = payments.payment_id
