select {{ as_of() }} as as_of
