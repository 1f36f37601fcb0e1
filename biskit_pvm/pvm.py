"""The functions of PVM under the names of old scripts."""

import pvm_ext

pvmerrors = {int(code): f'Pvm{code.name}' for code in pvm_ext.Code}


def addHosts(number=None, hosts=(), expand=1):  # noqa: N802
    """Add hosts to the virtual machine."""
    return {}
