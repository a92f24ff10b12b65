{#-
  Whether an order counts in figures: placed and paid, or placed and payable on delivery, or paid outside of the shop.

  An order that was cancelled or ran out before any payment counts nowhere but in the status distribution.
-#}
{% macro is_sale(status, payment_mode, paid_at) -%}
    (
        {{ paid_at }} is not null
        or (
            {{ payment_mode }} in ('on_delivery', 'external')
            and {{ status }} not in ('draft', 'awaiting_approval', 'cancelled', 'expired')
        )
    )
{%- endmacro %}


{#- The customer who is counted: a guest without an e-mail cannot be told from any other and is nobody. -#}
{% macro counted_customer(customer_id, customers) -%}
    case when {{ customers }}.is_guest and not {{ customers }}.has_email then null else {{ customer_id }} end
{%- endmacro %}
