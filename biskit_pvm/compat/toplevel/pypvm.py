"""The old top-level name of `biskit_pvm.compat.pypvm`: the same module."""

import sys

from biskit_pvm.compat import pypvm

sys.modules[__name__] = pypvm
