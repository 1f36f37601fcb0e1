"""A message: sealed bytes on one side, a method that is called on the other."""
