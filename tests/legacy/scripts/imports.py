"""Siblings, packages, and modules with the names of Python's own."""
import package
from package import helper, ambiguous
import package.sub.deep
import statistics
print helper.own_string(), package.sub.deep.letters, package.sub.deep.H is helper
print ambiguous.halves([3, 5]), statistics.mean([1, 2])
space = {}
print helper.try_import('package.ambiguous', 'half', space)(9), __import__('package.helper').__name__
print __import__('package.helper', globals(), locals(), ['half'], -1).half(3)
print package.helper.try_import('ambiguous', 'half', package.helper.__dict__)(5)
import sys
print 'package.helper' in sys.modules, sys.modules['package.sub.deep'].letters
import os.path as osp, os.path
from os.path import join as j
print osp.join('a', 'b'), j('c', 'd'), os.path is osp
reload(helper)
print helper.half(8)
try:
    import package.missing
except ImportError, e:
    print e
try:
    from package import missing
except ImportError:
    print 'cannot import'

