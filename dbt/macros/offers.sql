{#- How shoppers come by an offer: of itself, by one code, or by any single-use code of a batch. -#}
{% macro offer_key(code_id, batch_id) -%}
    case
        when {{ batch_id }} is not null then 'batch:' || {{ batch_id }}
        when {{ code_id }} is not null then 'code:' || {{ code_id }}
        else 'automatic'
    end
{%- endmacro %}
