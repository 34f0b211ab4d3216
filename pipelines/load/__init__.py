"""Raw webhook files into the warehouse, every line accounted for."""
