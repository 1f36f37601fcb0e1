"""Names: leaking loop variables, exec, execfile, eval, tuple parameters, globals."""
import os
import tempfile

x = 'outer'
squares = [x * x for x in range(4)]
print x, squares
pairs = [(a, b) for a in 'xy' for b in range(2) if b]
print a, b, pairs


def leak():
    found = [i for i in range(5) if i % 2]
    return i, found


print leak()


def nested():
    rows = [[c for c in row] for row in ('ab', 'cd')]
    return rows, c, row


print nested()


def inner_iterable():
    total = [y for y in [z + 1 for z in range(3)]]
    return total, y, z


print inner_iterable()


def not_generators():
    v = 'kept'
    list(v for v in range(3))
    set([w for w in range(2)])
    return v, w


print not_generators()


def empty(q='before'):
    [q for q in []]
    return q


print empty()


def tuples(first, (second, (third, fourth))=(2, (3, 4)), *rest):
    return first, second, third, fourth, rest


print tuples(1), tuples(1, ('b', ('c', 'd')), 5), (lambda (p, q), r=3: (q, p, r))((1, 2))
print sorted({'b': 1, 'a': 2}.items(), key=lambda (k, v): v), map(lambda (k, v): k + v, [(1, 2), (3, 4)])
try:
    tuples(1, (1, 2))
except TypeError, e:
    print 'TypeError'
except ValueError, e:
    print 'ValueError'

exec 'from_exec = 1'
print from_exec
exec 'a = 5\nprint a / 2, `a`' in {}
space = {'n': 7}
exec 'm = n / 2' in space
print space['m']
local = {}
exec 'k = n + 1' in space, local
print local, 'k' in space
exec ('t = 3', space)
print space['t']
code = compile('print 3 / 2,\nprint "compiled"', 'name', 'exec')
exec code
print eval('7 / 2'), eval('x'), eval(' n / 2', space), eval('lambda: 1')()


def execute():
    value = 1
    exec 'value = value + 1; fresh = 10'
    print value, fresh
    exec 'print value, fresh'
    return fresh + value


print execute()


def star():
    from math import *
    return floor(2.7), pi > 3


print star()


def in_dict(n):
    d = {}
    exec 'r = n * 2' in globals(), d
    return d


n = 21
print in_dict(1)


def evaluate(p):
    return [eval('p + i') for i in range(3)], eval('p')


print evaluate(10)


def names(p):
    q = 2
    return sorted(locals().keys()), '%(p)s-%(q)s' % locals(), ['%(p)s%(i)s' % locals() for i in (1, 2)]


print names(1)
path = tempfile.mktemp()
f = open(path, 'w')
f.write('print "from file", 5 / 2, __name__\nset_by_file = [1]\nif 1:\n\tprint "tabs"\n        print "and spaces"\n')
f.close()
execfile(path)
print set_by_file
scope = {}
execfile(path, scope)
print scope['set_by_file'], scope.has_key('__builtins__')
os.remove(path)


def late():
    print counter
    global counter
    counter = 2


counter = 1
late()
print counter


def shadow(map, str='s', type=None):
    zip = 'mine'
    return map, str, type, zip


print shadow('m')
open_ = open


def own_open(name):
    return 'opened ' + name


open = own_open
print open('x')
del open
print open is open_
as_names = dict(None_=None)
print vars().has_key('x'), 'path' in dir(), vars(os) is os.__dict__
print input.__name__, raw_input.__name__
class Empty: pass
e = Empty()
e.exec_ = 1
for i in 1, 2: print i,
print
if 1: print 'one line'; print 'two'
print 0777, 0x1F, 0o17, 0b11, 00, 0L, 0xFFL, 1e3, .5, 5., 10l
print 1 <> 2, `1` + `'a'`, `(1, 'x')`
print ur'a\b', UR'c', bR'd'
