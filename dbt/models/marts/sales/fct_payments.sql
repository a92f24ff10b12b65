{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='payment_id',
    on_schema_change='fail',
    meta={'changed_table': 'payments'},
) }}

select
    payments.payment_id,
    payments.order_id,
    payments.gateway,
    payments.gateway_payment_id,
    requests.purpose,
    payments.payment_method as method,
    payments.payment_status as status,
    payments.currency,
    payments.amount,
    payments.captured_amount,
    payments.refunded_amount,
    payments.refund_pending_amount,
    payments.fee_amount,
    payments.fee_tax_amount,
    {{ as_money('payments.captured_amount - payments.refunded_amount - coalesce(payments.fee_amount, 0)') }}
        as settled_amount,
    coalesce(payments.authorized_at > payments.failed_at, false) as is_late_authorisation,
    payments.error_code,
    payments.created_at,
    payments.authorized_at,
    payments.captured_at,
    payments.failed_at
from {{ ref('stg_payments') }} as payments
left join {{ ref('stg_gateway_orders') }} as requests on payments.gateway_order_id = requests.gateway_order_id
{% if is_incremental() -%}
    where payments.payment_id in ({{ changed_ids('payments') }})
{%- endif %}
