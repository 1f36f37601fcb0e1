# Classes of both kinds, and everything that they can define.
import new, types, copy, operator, weakref
class Base:
    inst = []
    def __init__(self, **kw):
        self.__dict__.update(kw); self.inst.append(self)
    def __getattr__(self, name):
        if name[:2] == '__': raise AttributeError, name
        return 'dyn_' + name
    def __setattr__(self, name, v): self.__dict__[name] = v
    def __str__(self): return '%s(%s)' % (self.__class__.__name__, ','.join(['%s=%s' % i for i in self.__dict__.items()]))
class Sub(Base):
    def __init__(self, x, **kw):
        Base.__init__(self, x=x, **kw); self.__secret = 5
    def __cmp__(self, o): return cmp(self.x, o.x)
    def __hash__(self): return hash(self.x)
    def __add__(self, o): return Sub(self.x + getattr(o, 'x', o))
    __radd__ = __add__
    def __nonzero__(self): return self.x != 0
    def __len__(self): return self.x
    def __getslice__(self, i, j): return ('slice', i, j > 1000)
    def __getitem__(self, i):
        if i > 2: raise IndexError
        return i * 10
    def __contains__(self, v): return v == 'in'
    def __call__(self, *a, **k): return a, k
    def __int__(self): return self.x
    def __float__(self): return float(self.x)
    def __coerce__(self, o): return None
    def __del__(self): pass
    def __div__(self, o): return 'div %s' % o
    def __neg__(self): return Sub(-self.x)
    def __iadd__(self, o): self.x += o; return self
    def __delattr__(self, n): print 'del', n; del self.__dict__[n]
    def __repr__(self): return 'Sub<%d>' % self.x
s, t = Sub(3), Sub(4, y=1)
print s, t, s < t, s == Sub(3), s != t, max(s, t).x, sorted([t, s]), s + t, 5 + s, s + 1, bool(Sub(0)), len(s), s[1:], s[2], list(s), 'in' in s, 'out' in s
print s(1, a=2), int(s), float(s), s / 2, -s, s.foo, s._Sub__secret, [c.__name__ for c in s.__class__.__bases__], s.__class__, Sub.__name__, isinstance(s, Base), issubclass(Sub, Base)
s += 10; print s.x; del s.x; print s.x
print {s: 1} and hash(Sub(7)) == hash(7), [n for n in dir(Sub(1)) if n[0] != '_'], Sub.__dict__.has_key('__cmp__'), hasattr(s, '__len__'), callable(s), callable(Base)
class New(object):
    __slots__ = ('a', 'b')
    def __init__(self, a=1): self.a = a
    def geta(self): return self.a * 2
    def seta(self, v): self.a = v
    dbl = property(geta, seta)
    def cm(cls, x): return cls.__name__, x
    cm = classmethod(cm)
    sm = staticmethod(lambda x: x + 1)
n = New(); n.dbl = 4; print n.dbl, New.cm(1), n.cm(2), New.sm(1)
try: n.c = 1
except AttributeError, e: print e
class Meta(type):
    def __new__(m, name, bases, d):
        d['made'] = name.upper(); return type.__new__(m, name, bases, d)
class WithMeta:
    __metaclass__ = Meta
    def f(self): return self.made
print WithMeta().f(), type(WithMeta), WithMeta.__mro__
K = new.classobj('K', (Base,), {'z': 3}); print K(q=1), K.z, K.__name__
def meth(self, v): return (self.__class__.__name__, v)
k = K(); k.meth = new.instancemethod(meth, k, K); print k.meth(9)
K.other = meth; print k.other(1), K.other(k, 2), k.other.im_func is meth, k.other.im_self is k
f = new.function(meth.func_code, globals(), 'renamed'); print f.__name__
class Desc(object):
    def __get__(self, o, t=None): return o and 'inst' or 'class'
class HasD(object): d = Desc()
print HasD().d, HasD.d
class A(object):
    def who(self): return ['A']
class B(A):
    def who(self): return ['B'] + super(B, self).who()
class C(A):
    def who(self): return ['C'] + super(C, self).who()
class D(B, C):
    def who(self): return ['D'] + super(D, self).who()
print D().who(), [c.__name__ for c in D.mro()]
class O1: 
    def w(self): return 'O1'
class O2(O1): pass
class O3(O1):
    def w(self): return 'O3'
class O4(O2, O3): pass
print O4().w()
c = copy.copy(t); d = copy.deepcopy({'k': [t, (1, 2)]}); print c, d['k'][1], d['k'][0] is t
print map(operator.itemgetter(1), [(1, 2), (3, 4)]), map(operator.attrgetter('x'), [t]), operator.add(1, 2), operator.isSequenceType([]), apply(operator.mul, (3, 4))
class L(list):
    def __getitem__(self, i): return 'L%s' % list.__getitem__(self, i)
    def __getslice__(self, i, j): return 'slice'
print L([1, 2])[0], L([1, 2])[0:1], [x for x in L([1, 2])], L([3]) + [4], type(L([1]) * 2)
class Dct(dict):
    def __missing__(self, k): return k * 2
print Dct()['ab'], Dct({'x': 1}).get('y'), Dct(a=1).keys()
class S(str):
    def shout(self): return self.upper() + '!'
print S('hi').shout(), S('a') + 'b', type(S('a') + 'b'), S('x') == 'x', {S('k'): 1}['k']
class F(float): pass
print F(1.5) * 2, `F(2)`, type(F(1) + 1)
x = lambda a, (b, c)=(1, 2), *d: (a, b, c, d); print x(0), x(0, (3, 4), 5)
class Plain: pass
p, q = Plain(), Plain(); p.v = 1; print p == q, p is p, (p < q) in (True, False), [p] == [p], p in [q], not p, p and 1
print Plain.__module__, Plain.__doc__, type(p), type(Plain)
