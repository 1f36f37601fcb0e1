"""The old name of the compiled half of ``pypvm``, with the same objects."""

from biskit_pvm.compat.pypvm import *
