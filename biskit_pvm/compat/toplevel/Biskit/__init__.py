"""The parts of Biskit that PVM scripts use."""

import sys

from biskit_pvm.compat.biskit import aliases

aliases.become(sys.modules[__name__])
