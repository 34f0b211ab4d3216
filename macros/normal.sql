{#- The probability that a normal variable is at most `z` standard deviations above its mean, by formula 26.2.17 of
    Abramowitz and Stegun. The error is below 1e-7. -#}
{% macro normal_chance(z) -%}
    {%- set t = '(1e0 / (1e0 + 0.2316419e0 * abs(' ~ z ~ ')))' -%}
    {%- set tail -%}
        (
            0.3989422804014327e0 * {{ exponential('-(' ~ z ~ ') * (' ~ z ~ ') / 2e0') }} * {{ t }} * (
                0.319381530e0 + {{ t }} * (
                    -0.356563782e0 + {{ t }} * (1.781477937e0 + {{ t }} * (-1.821255978e0 + {{ t }} * 1.330274429e0))
                )
            )
        )
    {%- endset -%}
    case when {{ z }} >= 0 then 1e0 - {{ tail }} else {{ tail }} end
{%- endmacro %}

{#- The quantile of the standard normal distribution for a probability in percent. A normal variable is above its mean
    minus this number of standard deviations with that probability. -#}
{% macro deviations_of(confidence) -%}
    {{ return({50: '0e0', 75: '0.6744897501960817e0', 80: '0.8416212335729143e0', 90: '1.2815515655446004e0', 95: '1.6448536269514722e0', 97.5: '1.959963984540054e0'}[confidence]) }}
{%- endmacro %}
