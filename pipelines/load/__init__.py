"""Load raw webhook files into the warehouse. Every line is accounted for."""
