{{ visits('stage') }}
