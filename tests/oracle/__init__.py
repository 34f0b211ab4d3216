"""The specification again, in plain Python: slow, small, and sharing nothing with the product.

Where a table of the product and this package disagree, one of them misreads the specification.
"""
