{{ visits('status') }}
