{#-
  An amount in minor units (BIGINT) as DECIMAL(18,2) of the major unit.

  The exponent is the currency's (ISO 4217): two digits unless the currency is named here. The product of two decimals
  is exact; a division would give a DOUBLE. Currencies of three digits are rounded to two, which the contract holds.
-#}
{% macro minor_to_amount(minor, currency) -%}
    case
        when {{ currency }} in ('JPY', 'KRW', 'VND') then cast({{ minor }} as decimal(18, 2))
        when {{ currency }} in ('BHD', 'JOD', 'KWD', 'OMR', 'TND')
            then cast(cast({{ minor }} as decimal(15, 0)) * cast(0.001 as decimal(3, 3)) as decimal(18, 2))
        else cast(cast({{ minor }} as decimal(18, 0)) * cast(0.01 as decimal(3, 2)) as decimal(18, 2))
    end
{%- endmacro %}


{#- A sum of money: DuckDB widens a sum to DECIMAL(38,2), which the contracts refuse; nothing summed is nothing owed. -#}
{% macro sum_money(amount) -%}
    cast(coalesce(sum({{ amount }}), 0) as decimal(18, 2))
{%- endmacro %}


{#- Any money expression in the contract's type; NULL becomes zero. -#}
{% macro as_money(expression) -%}
    cast(coalesce({{ expression }}, 0) as decimal(18, 2))
{%- endmacro %}
