{#- `ln`, `exp` and `power` differ in the last digits between engines and machines. These macros only add, multiply, divide,
    compare and take square roots, which give the same digits everywhere. Errors are below 1e-13. The queries keep each
    intermediate value in a column: the same as an expression with `given` takes five to ten times as long. -#}

{#- A query that adds natural logarithms to a relation. `logs` maps each new column to a double from 1e-10 to 1. The logarithm
    is 32 times that of the 32nd root, which is close enough to 1 for the series of atanh. -#}
{% macro with_logs(relation, logs) -%}
    {%- set terms = [] -%}
    {%- for odd in range(1, 35, 2) -%}{%- do terms.append('1e0 / ' ~ odd ~ 'e0') -%}{%- endfor -%}
    select *{% for name in logs %}, 64e0 * {{ name }}_ratio * {{ polynomial(terms, name ~ '_square') }} as {{ name }}{% endfor %}
    from (
        select *{% for name in logs %}, {{ name }}_ratio * {{ name }}_ratio as {{ name }}_square{% endfor %}
        from (
            select *{% for name in logs %}, ({{ name }}_root - 1e0) / ({{ name }}_root + 1e0) as {{ name }}_ratio{% endfor %}
            from (
                select *{% for name, number in logs.items() %}, sqrt(sqrt(sqrt(sqrt(sqrt({{ number }}))))) as {{ name }}_root{% endfor %}
                from {{ relation }}
            ) as with_roots
        ) as with_ratios
    ) as with_squares
{%- endmacro %}

{#- e to the power of a double from -64 to 0; lower numbers count as -64. It is the series for a 64th of the number,
    squared six times. -#}
{% macro exponential(number) -%}
    {%- set square = namespace(of='1e0 / (a_power * a_power)') -%}
    {%- for _ in range(5) -%}{%- set square.of = given('a_power', 'a_power * a_power', square.of) -%}{%- endfor -%}
    {{ given('a_part', part_of_power(number), given('a_power', series_of_power('a_part'), square.of)) }}
{%- endmacro %}
{% macro part_of_power(number) -%}case when {{ number }} < -64e0 then 1e0 else -({{ number }}) / 64e0 end{%- endmacro %}
{% macro series_of_power(part) -%}
    {%- set terms, factorial = ['1e0'], namespace(of=1) -%}
    {%- for term in range(1, 19) -%}
        {%- set factorial.of = factorial.of * term -%}
        {%- do terms.append('1e0 / ' ~ factorial.of ~ 'e0') -%}
    {%- endfor -%}
    {{ polynomial(terms, part) }}
{%- endmacro %}

{#- A query that adds powers of e to a relation. `powers` maps each new column to its exponent, as in `exponential`. -#}
{% macro with_exponentials(relation, powers) -%}
    select *
        {%- for name in powers -%}
            {%- set square = namespace(of=name ~ '_power') -%}
            {%- for _ in range(6) -%}{%- set square.of = '(' ~ square.of ~ ' * ' ~ square.of ~ ')' -%}{%- endfor -%}
            , 1e0 / {{ square.of }} as {{ name }}
        {%- endfor %}
    from (
        select *{% for name in powers %}, {{ series_of_power(name ~ '_part') }} as {{ name }}_power{% endfor %}
        from (
            select *{% for name, number in powers.items() %}, {{ part_of_power(number) }} as {{ name }}_part{% endfor %}
            from {{ relation }}
        ) as with_parts
    ) as with_powers
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
