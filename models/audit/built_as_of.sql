select
    {{ as_of() }} as as_of,
    '{{ var("report_timezone") }}' as report_timezone
