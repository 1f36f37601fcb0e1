"""A package whose modules import each other as siblings."""
import helper
from helper import half
from sub import deep
print 'package', half(7), helper.__name__, deep.__name__
