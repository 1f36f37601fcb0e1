"""A calculation: who works on what, and making it so."""
