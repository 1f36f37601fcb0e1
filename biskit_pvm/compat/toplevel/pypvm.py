"""The old top-level name of `biskit_pvm.compat.pypvm`, with the same objects."""

from biskit_pvm.compat.pypvm import *
