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
  How many standard deviations above the mean cover a share p of a normal distribution (0 < p < 1).

  Rational approximation of P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution
  function" (2003): relative error below 1.15e-9.
-#}
{% macro normal_quantile(p) -%}
    case
        when {{ p }} < 0.02425 then {{ _normal_tail('sqrt(-2 * ln(' ~ p ~ '))') }}
        when {{ p }} > 1 - 0.02425 then -({{ _normal_tail('sqrt(-2 * ln(1 - ' ~ p ~ '))') }})
        else {{ _normal_middle('(' ~ p ~ ' - 0.5)') }}
    end
{%- endmacro %}


{% macro _normal_tail(q) -%}
    {{ _polynomial(q, [
        '-7.784894002430293e-03', '-3.223964580411365e-01', '-2.400758277161838e+00', '-2.549732539343734e+00',
        '4.374664141464968e+00', '2.938163982698783e+00',
    ]) }} / {{ _polynomial(q, [
        '7.784695709041462e-03', '3.224671290700398e-01', '2.445134137142996e+00', '3.754408661907416e+00', '1e+00',
    ]) }}
{%- endmacro %}


{% macro _normal_middle(q) -%}
    {{ q }} * {{ _polynomial('(' ~ q ~ ' * ' ~ q ~ ')', [
        '-3.969683028665376e+01', '2.209460984245205e+02', '-2.759285104469687e+02', '1.383577518672690e+02',
        '-3.066479806614716e+01', '2.506628277459239e+00',
    ]) }} / {{ _polynomial('(' ~ q ~ ' * ' ~ q ~ ')', [
        '-5.447609879822406e+01', '1.615858368580409e+02', '-1.556989798598866e+02', '6.680131188771972e+01',
        '-1.328068155288572e+01', '1e+00',
    ]) }}
{%- endmacro %}


{#- A polynomial in Horner's form, the coefficient of the highest power first. -#}
{% macro _polynomial(x, coefficients) -%}
    {%- set ns = namespace(sum=coefficients[0]) -%}
    {%- for coefficient in coefficients[1:] -%}
        {%- set ns.sum = '(' ~ ns.sum ~ ' * ' ~ x ~ ' + ' ~ coefficient ~ ')' -%}
    {%- endfor -%}
    {{ ns.sum }}
{%- endmacro %}
