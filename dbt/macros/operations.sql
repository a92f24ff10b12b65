{#- The states in which a parcel's journey is over, whichever way it ended. -#}
{% macro final_shipment_statuses() -%}
    'delivered', 'rto_delivered', 'cancelled', 'lost', 'damaged'
{%- endmacro %}


{#- The states in which nothing more happens to an order by itself. -#}
{% macro final_order_statuses() -%}
    'delivered', 'cancelled', 'expired'
{%- endmacro %}


{#-
  The standard normal distribution function: 1 / (1 + exp(−1.5976 x − 0.07056 x³)).

  Logistic approximation of Bowling et al., Journal of Industrial Engineering and Management 2 (2009) 114–127; it is
  never more than 0.00014 off. The argument is kept within ±8, where the function is 0 or 1 to twelve digits.
-#}
{% macro normal_cdf(x) -%}
    1.0 / (1.0 + exp(
        -1.5976 * least(greatest({{ x }}, -8.0), 8.0)
        - 0.07056 * power(least(greatest({{ x }}, -8.0), 8.0), 3)
    ))
{%- endmacro %}


{#-
  How many standard deviations above the mean cover a share p of a normal distribution: 4.91 (p^0.14 − (1 − p)^0.14).

  Tukey's lambda distribution (Joiner & Rosenblatt, JASA 66 (1971) 394–399): within 0.01 for p from 0.5 to 0.99.
-#}
{% macro normal_quantile(p) -%}
    4.91 * (power({{ p }}, 0.14) - power(1.0 - {{ p }}, 0.14))
{%- endmacro %}
