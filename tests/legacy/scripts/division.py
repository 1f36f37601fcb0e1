"""Division of integers, longs, floats and of classes with __div__."""
import operator

print 7 / 2, -7 / 2, 7 / -2, 7.0 / 2, 7 / 2.0, 7L / 2, True / 2
print 7 % 3, -7 % 3, divmod(-7, 3), 2 ** -1, 2 ** 3
n = 7
n /= 2
print n
l = [7, 9.0]
l[0] /= 2
l[1] /= 2
print l


class Box:
    value = 7


b = Box()
b.value /= 2
print b.value
d = {'k': 7}


def key():
    print 'key called'
    return 'k'


d[key()] /= 2
print d


class Old:
    def __div__(self, other):
        return 'Old div %s' % other

    def __rdiv__(self, other):
        return 'Old rdiv %s' % other

    def __idiv__(self, other):
        return 'Old idiv %s' % other


class New(object):
    def __div__(self, other):
        return 'New div %s' % other

    def __truediv__(self, other):
        return 'New truediv %s' % other


print Old() / 3, 3 / Old(), New() / 3
o = Old()
o /= 4
print o
print operator.div(7, 2), operator.truediv(7, 2), operator.__div__(9, 4)
print 10 // 3, 10.0 // 3
print map(lambda x: x / 2, range(6))
for i in range(3):
    print i / 2, (i + 1) / 2,
print
print sum([1, 2, 4]) / len([1, 2, 4])
half = lambda x, y=2: x / y
print half(5), half(5, 2.)
try:
    1 / 0
except ZeroDivisionError, e:
    print 'zero:', e
