"""
Old names and old source.

`run` runs a Python 2 script as it stands; `importer`, `translate`, `runtime` and `modules` are what it stands on.
`biskit` and `aliases` are what ``import Biskit`` finds, `pypvm` the low-level module of old. Nothing else in this package
knows of them.
"""
