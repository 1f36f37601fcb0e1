"""Errors that Biskit's modules raise."""


class BiskitError(Exception):
    """Root of all of them."""


class HandledError(BiskitError):
    """Raised after an error has been reported."""


class FatalError(HandledError):
    """Raised after a fatal error has been reported."""


class NormalError(HandledError):
    """Raised after an error that is no bug has been reported."""
