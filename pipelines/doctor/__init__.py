"""What is configured, and what is wrong with it before it hurts: from the signing secret to the tables."""
