"""A module that asks for today's division."""
from __future__ import division

print 7 / 2, 7 // 2
x = 7
x /= 2
print x


class New(object):
    def __div__(self, other):
        return 'div'

    def __truediv__(self, other):
        return 'truediv'


print New() / 1
exec 'print 1 / 2 == 0.5'
