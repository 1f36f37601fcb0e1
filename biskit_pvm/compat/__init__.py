"""
What old scripts need, in three rooms.

`pypvm` is the low-level module of old and knows nothing of the others; `python2` runs a Python 2 script as it stands;
`biskit` holds the small modules that ``import Biskit`` finds, and reads the files of such scripts with `python2`. Who starts
a script, `python2.run`, brings them together. Nothing else in this package knows of them.
"""
