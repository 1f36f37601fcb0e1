"""What a run tells: progress while it lasts, pictures and a page when it is over."""
