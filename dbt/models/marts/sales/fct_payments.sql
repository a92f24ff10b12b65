{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='payment_id',
    on_schema_change='fail',
    meta={'changed_table': 'payments'},
) }}

select
    payment_id,
    order_id,
    gateway,
    gateway_payment_id,
    payment_method as method,
    payment_status as status,
    currency,
    amount,
    captured_amount,
    refunded_amount,
    fee_amount,
    error_code,
    created_at,
    authorized_at,
    captured_at,
    failed_at
from {{ ref('stg_payments') }}
{% if is_incremental() -%}
    where payment_id in ({{ changed_ids('payments') }})
{%- endif %}
