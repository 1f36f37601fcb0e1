# what Python itself says when something is wrong
import Queue
import os
import string


def show(function, *args):
    try:
        function(*args)
    except Exception, e:
        print e.__class__.__name__, '|', e, '|', e.args == (str(e),)


def one(a):
    return a


def some(a, b, c=1, *rest):
    return a


def pair(a, b=1):
    return a


def none():
    pass


class Atom:
    size = 3


class Residue(object):
    __slots__ = ['name']

    def __init__(self, name):
        self.name = name

    def seen(self):
        return self.name
    chain = property(seen)


def unpack_two():
    a, b = 1, 2, 3


def unpack_more():
    a, b, c = [1]


def unpack_nothing():
    (a, b) = 5


def local():
    print later
    later = 1


def outer():
    def inner():
        return free
    inner()
    free = 1


def deep(n):
    return deep(n + 1)


def wrong_import():
    from os import no_such_thing


def set_chain():
    Residue('ALA').chain = 'A'


for function in none, one, pair, some:
    show(function, *range(5))
show(one)
show(some, 1)
show(pair)
show(lambda: one(1, a=2))
show(lambda: one(b=2))
show(lambda: one(*5))
show(lambda: Atom(1))
for function in unpack_two, unpack_more, unpack_nothing, local, outer, wrong_import, set_chain:
    show(function)
try:
    deep(0)
except RuntimeError, e:
    print e.__class__.__name__, str(e)[:32]
show(lambda: 'n = ' + 5)
show(lambda: u'n = ' + 5)
show(lambda: 5 + 'n')
show(lambda: [1] + 'n')
show(lambda: Atom() + 1)
show(lambda: Residue(1) + 1)
show(lambda: no_such_name)
show(lambda: None[0])
show(lambda: len[0])
show(lambda: Residue(1)[0])
show(lambda: [1]['a'])
show(lambda: (1, 2)['a'])
show(lambda: float('1.2.3'))
show(lambda: float(''))
show(lambda: float(None))
show(lambda: int([]))
show(lambda: int('1.5'))
show(lambda: string.atoi('x'))
show(lambda: ' '.join(['a', 1]))
show(lambda: '%d' % 'x')
show(lambda: '%5.2f' % None)
show(lambda: '%(a)s' % 5)
show(lambda: '%s %s' % 'a')
show(lambda: reduce(one, []))
show(lambda: max([]))
show(lambda: isinstance(1, 'int'))
show(lambda: os.no_such_function())
show(lambda: string.no_such_function)
show(lambda: Atom().mass)
show(lambda: Atom.mass)
show(lambda: Residue(1).mass)
show(lambda: Residue.mass)
show(lambda: {}[[]])
show(lambda: [x for x in Atom()])
show(lambda: [x for x in 5])
show(lambda: 1 in 5)
show(lambda: eval('1 +* 2'))
show(lambda: __import__('no_such_module'))

# what a script says itself stays as it is
for text in 'too many values', "name 'x' is unknown", 'one() takes 1 file', 'a: b':
    show(lambda: one(*() + (text,)) and int(text))
try:
    raise TypeError('can only concatenate chains')
except TypeError, e:
    print e
try:
    print no_such_name
except NameError, e:
    print e
try:
    Queue.Queue().get_nowait()
except Queue.Empty, e:
    print e.__class__, Queue.Queue, os.path.walk.__name__
