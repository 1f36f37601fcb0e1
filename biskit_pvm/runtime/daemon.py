"""The daemons of the virtual machine."""


def ensure_running() -> None:
    """Start a daemon where none runs."""
