"""Old-style and new-style classes, special methods of Python 2."""
import types


class Base:
    name = 'base'

    def who(self):
        return 'Base'


class Left(Base):
    pass


class Right(Base):
    name = 'right'

    def who(self):
        return 'Right'


class Diamond(Left, Right):
    pass


print Diamond().who(), Diamond.name, Diamond().__class__.__name__, isinstance(Diamond(), Base)
print type(Base) is types.ClassType, type(Base()) is types.InstanceType, isinstance(Base(), types.InstanceType)
print isinstance(Base, types.ClassType), isinstance(Base, type), type(Base()) == type(Left()), str(Base)
print isinstance(Base(), object), issubclass(Left, Base)


class Modern(object):
    def __nonzero__(self):
        return False

    def __getslice__(self, i, j):
        return 'slice', i, min(j, 100)

    def __getitem__(self, key):
        return 'item', key

    def __setslice__(self, i, j, value):
        print 'set', i, min(j, 100), value

    def __delslice__(self, i, j):
        print 'del', i, min(j, 100)

    def __len__(self):
        return 10


m = Modern()
print bool(m), not m, m[1:2], m[:], m[-3:], m[5], m[1:2:3], m[:-1]
m[1:3] = 'x'
del m[2:]
if m:
    print 'true'
else:
    print 'false'


class L(list):
    def __getitem__(self, i):
        return 'item %s' % i

    def __getslice__(self, i, j):
        return L(list.__getslice__(self, i, j))


class M(list):
    def __getitem__(self, i):
        return 'item %s' % i


l = L([1, 2, 3])
print l[0], l[:2].__class__.__name__, len(l[:2]), list.__getitem__(l, 0), M([1, 2, 3])[1:], M([1])[0]
l[1:2] += [7, 8]
print list(l.__iter__())


class Counter:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def next(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n


print list(Counter(3)), Counter(2).next(), [x for x in Counter(2)], sum(Counter(4)), 2 in Counter(3)


def generator():
    yield 1
    raise StopIteration
    yield 2


def passing(source):
    while 1:
        yield source.next()


print list(generator()), list(passing(iter([1, 2]))), generator().next()


class Meta(type):
    def __new__(cls, name, bases, namespace):
        namespace['made_by'] = 'Meta'
        return type.__new__(cls, name, bases, namespace)


class WithMeta(object):
    __metaclass__ = Meta


class Child(WithMeta):
    pass


print WithMeta.made_by, Child.made_by, type(Child).__name__


class Proxy:
    def __init__(self, target):
        self.__dict__['target'] = target

    def __getattr__(self, name):
        if name in ('__coerce__',):
            raise AttributeError(name)
        return getattr(self.target, name)


p = Proxy([3, 1, 2])
print len(p), p[0], [x for x in p], 3 in p, bool(p), p.index(1)
p.sort()
print p.target


class Number:
    def __init__(self, n):
        self.n = n

    def __coerce__(self, other):
        return self.n, other

    def __int__(self):
        return self.n

    def __hex__(self):
        return 'my hex'

    def __oct__(self):
        return 'my oct'


print Number(3) + 4, 10 - Number(3), Number(2) * 5, int(Number(3)), hex(Number(1)), oct(Number(1))


class Prop:
    def get(self):
        return 'got'

    def put(self, value):
        print 'never called'

    x = property(get, put)


q = Prop()
print q.x
q.x = 5
print q.x


class Mixed(Base, object):
    pass


print Mixed().who(), isinstance(Mixed, type), type(Mixed()).__name__


class Repr:
    def __repr__(self):
        return '<Repr>'


class Str:
    def __str__(self):
        return 'a Str'


print Repr(), [Repr()], str(Str()), '%s %r' % (Str(), Repr()), `Repr()`
print Base().who.im_func.func_name, Base().who.im_self.__class__.__name__, Base.who.im_func.func_code.co_name
print Base().who.im_class.__name__


def fn(a, b=2):
    "doc"


print fn.func_name, fn.func_defaults, fn.func_doc, fn.func_code.co_varnames
fn.func_name = 'renamed'
print fn.__name__


class Cmp:
    def __init__(self, n):
        self.n = n

    def __cmp__(self, other):
        return cmp(self.n, other.n)


try:
    hash(Cmp(1))
except TypeError, e:
    print 'unhashable'
print Cmp(1) < Cmp(2), Cmp(1) == Cmp(1), sorted([Cmp(2), Cmp(1)])[0].n, Cmp(1) <> Cmp(2)


class Comprehension:
    size = 3
    squares = [size * i for i in range(size)]


print Comprehension.squares, Comprehension.i


class Call:
    def __call__(self, *args):
        return args


print callable(Call()), callable(Base()), callable(len), Call()(1, 2), callable(Proxy(len))
import new
K = new.classobj('K', (Base,), {'extra': 1})
print K().who(), K.extra, K.__name__
T = type('T', (object,), {'__nonzero__': lambda self: False})
print bool(T()), T.__name__
o = new.instance(Base, {'z': 3})
print o.z, o.who()
from UserDict import UserDict, DictMixin
from UserList import UserList


class D(DictMixin):
    def __init__(self):
        self.d = {}

    def __getitem__(self, k):
        return self.d[k]

    def __setitem__(self, k, v):
        self.d[k] = v

    def keys(self):
        return self.d.keys()


d = D()
d['a'] = 1
d.update({'b': 2})
print sorted(d.items()), d.has_key('a'), d.get('z'), len(d), 'a' in d, d
u = UserDict({'x': 1})
u['y'] = 2
print sorted(u.keys()), u.has_key('x'), u.data == {'x': 1, 'y': 2}, UserList([1, 2])[1:], UserList([3, 1])
from sets import Set
print Set([1]) | Set([2]) == Set([1, 2]), Set([1, 2]) & Set([2]), len(Set('aab'))
