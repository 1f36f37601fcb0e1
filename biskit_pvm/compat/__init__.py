"""
What old scripts need, in three rooms that know nothing of each other.

`pypvm` is the low-level module of old; `python2` runs a Python 2 script as it stands; `biskit` holds the small modules that
``import Biskit`` finds. Nothing else in this package knows of them.
"""
