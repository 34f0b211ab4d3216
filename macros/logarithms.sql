{#- Engines and machines compute `ln`, `exp` and `power` with other last digits. These only add, multiply, divide, compare and
    take square roots, which give the same digits everywhere. The error is below 1e-13. -#}

{#- The natural logarithm of a double of 1e-10 to 1: 32 times that of its 32nd root, which is near enough to 1 for the series
    of atanh. -#}
{% macro natural_log(number) -%}
    {%- set terms = [] -%}
    {%- for odd in range(1, 35, 2) -%}{%- do terms.append('1e0 / ' ~ odd ~ 'e0') -%}{%- endfor -%}
    {{ given('a_root', 'sqrt(sqrt(sqrt(sqrt(sqrt(' ~ number ~ ')))))', given(
        'a_ratio', '(a_root - 1e0) / (a_root + 1e0)', given(
            'a_square', 'a_ratio * a_ratio', '64e0 * a_ratio * ' ~ polynomial(terms, 'a_square')
        )
    )) }}
{%- endmacro %}

{#- e to the power of a double of at most 0; below -64 it is that of -64. The series of the 64th part, squared six times. -#}
{% macro exponential(number) -%}
    {%- set terms, factorial = ['1e0'], namespace(of=1) -%}
    {%- for term in range(1, 19) -%}
        {%- set factorial.of = factorial.of * term -%}
        {%- do terms.append('1e0 / ' ~ factorial.of ~ 'e0') -%}
    {%- endfor -%}
    {%- set square = namespace(of='1e0 / (a_power * a_power)') -%}
    {%- for _ in range(5) -%}{%- set square.of = given('a_power', 'a_power * a_power', square.of) -%}{%- endfor -%}
    {{ given('a_part', 'least(-(' ~ number ~ ') / 64e0, 1e0)', given('a_power', polynomial(terms, 'a_part'), square.of)) }}
{%- endmacro %}

{#- A polynomial, from its terms without the number, that of the lowest power first. Terms are added two by two. -#}
{% macro polynomial(terms, number) -%}
    {%- set power = namespace(of=number) -%}
    {%- set sum = namespace(of=terms) -%}
    {%- for _ in range(terms | length) if sum.of | length > 1 -%}
        {%- set pairs = [] -%}
        {%- for pair in sum.of | batch(2) -%}
            {%- do pairs.append('(' ~ pair | join(' + ' ~ power.of ~ ' * ') ~ ')') -%}
        {%- endfor -%}
        {%- set sum.of, power.of = pairs, '(' ~ power.of ~ ' * ' ~ power.of ~ ')' -%}
    {%- endfor -%}
    {{ sum.of[0] }}
{%- endmacro %}
