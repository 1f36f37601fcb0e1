"""Windows of slaves."""


def window_command(words, host, show_output, xterm):
    """Return the command of a slave in a window."""
    raise NotImplementedError
