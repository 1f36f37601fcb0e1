"""What a calculation decides: pure state, without I/O, threads or clock."""
