{#- `ln`, `exp` and `power` differ in the last digits between engines and machines. These macros use only additions,
    multiplications, divisions, comparisons and square roots, which give the same digits everywhere. Errors are below
    1e-13. -#}

{#- The natural logarithm of a double from 1e-10 to 1: 32 times the logarithm of its 32nd root, which is close enough to
    1 for the series of atanh. -#}
{% macro natural_log(number) -%}
    {%- set terms = [] -%}
    {%- for odd in range(1, 35, 2) -%}{%- do terms.append('1e0 / ' ~ odd ~ 'e0') -%}{%- endfor -%}
    {{ given('a_root', 'sqrt(sqrt(sqrt(sqrt(sqrt(' ~ number ~ ')))))', given(
        'a_ratio', '(a_root - 1e0) / (a_root + 1e0)', given(
            'a_square', 'a_ratio * a_ratio', '64e0 * a_ratio * ' ~ polynomial(terms, 'a_square')
        )
    )) }}
{%- endmacro %}

{#- e to the power of a double from -64 to 0; lower numbers count as -64. It is the series for a 64th of the number,
    squared six times. -#}
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

{#- A polynomial of a number, from its coefficients, the one of the lowest power first. -#}
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
