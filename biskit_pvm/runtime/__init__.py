"""What touches the world: PVM, threads, processes, files and windows."""
