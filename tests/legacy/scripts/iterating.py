# Iterators, sorting, and the built-in functions that go through things.
import itertools, functools, operator, types, sys
from itertools import *
print list(izip('abc', count())), list(imap(operator.mul, [1, 2], [3, 4])), list(ifilter(None, [0, 1, 2])), list(ifilterfalse(lambda x: x % 2, range(5))), list(islice(count(5), 2, 8, 2)), list(takewhile(lambda x: x < 3, count())), list(dropwhile(lambda x: x < 3, range(5))), list(chain('ab', [1])), list(repeat('x', 2)), list(starmap(pow, [(2, 3)])), [(k, list(g)) for k, g in groupby('aabbc')], list(izip_longest('ab', 'c')) if hasattr(itertools, 'izip_longest') else 0, [next(c) for c in [cycle('ab')] * 3], [list(t) for t in tee([1, 2])], list(permutations('ab')), list(combinations('abc', 2)), list(product('ab', repeat=2))[:3]
def dec(f):
    def wrap(*a, **k):
        print 'call', f.__name__, a, k
        return f(*a, **k)
    wrap.__name__ = f.__name__; return wrap
@dec
def add(a, b=2): return a + b
print add(1), add(1, b=5), add.__name__
class P(object):
    @property
    def x(self): return 'prop'
    @staticmethod
    def s(): return 'static'
    @classmethod
    def c(cls): return cls.__name__
print P().x, P.s(), P().c(), functools.partial(add, 1)(9)
class It:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def next(self):
        if self.n <= 0: raise StopIteration
        self.n -= 1; return self.n
print list(It(3)), [x for x in It(2)], sum(It(4)), max(It(3)), dict(zip(It(2), 'ab')), tuple(It(2)), 1 in It(3), zip(It(2), It(2)), map(str, It(2)), it if 'it' in globals() else None
class Seq:
    def __getitem__(self, i):
        if i >= 3: raise IndexError, i
        return i * i
print list(Seq()), [x for x in Seq()], 4 in Seq(), tuple(Seq()), map(None, Seq()), reduce(operator.add, Seq())
l = [('b', 2), ('a', 3), ('c', 1)]; l.sort(); print l; l.sort(lambda x, y: cmp(y[1], x[1])); print l; l.sort(key=lambda t: t[1]); print l; l.sort(key=operator.itemgetter(0), reverse=True); print l, sorted(l, cmp=lambda a, b: cmp(a[1], b[1])), sorted('hello', reverse=1), sorted({'b': 1, 'a': 2}), sorted([3, 'a', None, 1.5, (1,), [2], {}, u'b', 2L])
decorated = [(len(w), i, w) for i, w in enumerate('the quick brown fox'.split())]; decorated.sort(); print [w for n, i, w in decorated]
d = {}
for w in 'a b a c b a'.split(): d[w] = d.get(w, 0) + 1
items = d.items(); items.sort(lambda a, b: cmp(b[1], a[1])); print items, d.has_key('a'), d.keys(), d.values(), d.setdefault('z', []), d.pop('z'), d.pop('nope', 5), len(d), d == {'a': 3, 'b': 2, 'c': 1}, cmp(d, {}), d.iteritems().next(), list(d.iterkeys()), [v for v in d.itervalues()], dict((v, k) for k, v in d.items()), d.copy() is d, d.update({'q': 9}), d, d.clear(), d
s, t = set([1, 2, 3]), set([2, 3, 4]); print s & t, s | t, s - t, s ^ t, s.issubset(t), 2 in s, s.add(9), s, frozenset(s) == s, len(s), s.discard(100), sorted(s), set('hello') - set('l'), s.intersection(t), bool(set())
from collections import defaultdict, deque
dd = defaultdict(list); dd['x'].append(1); print dd, dd['y'], dict(dd), defaultdict(int)['q']; q = deque([1, 2, 3], 3) if sys.version_info >= (2, 6) else deque([1, 2, 3]); q.append(4); q.appendleft(0); print q, q.popleft(), list(q), q[0]; q.rotate(1); print q
from collections import namedtuple; Pt = namedtuple('Pt', 'x y'); print Pt(1, 2), Pt(1, 2).x, Pt(x=3, y=4)._asdict() if 0 else '', Pt(1, 2) == (1, 2)
print 'yes' if l else 'no', [] or 'default', 0 and 1, not [], 1 < 2 < 3 != 4, 'a' in 'abc', None is None, (1 and [0] or [2])[0]
print [[j for j in range(i)] for i in range(3)], zip(*[(1, 2), (3, 4)]), map(lambda *a: a, [1, 2], [3]), filter(lambda c: c in 'aeiou', 'education'), map(int, '123'), reduce(lambda a, b: a * b, range(1, 6)), any([0, 1]), all([]), enumerate('ab').next(), reversed([1, 2]).next(), list(reversed('abc')), range(2, 10, 3), xrange(5)[2], len(xrange(0, 10, 3)), list(xrange(3)), xrange(3), zip(), map(max, [1, 5], [3, 2]), min('b', 'a'), max([1, 2], key=lambda x: -x), sum([[1], [2]], []), abs(-1.5), divmod(7.5, 2), round(2.675, 2), int('-5'), chr(65), ord('a'), hex(10), repr('x'), str([1, 'a', 1.1, None]), id(None) == id(None), callable(len), intern('abc'), isinstance(1L, (int, long)), bool('False'), tuple('ab'), list((1, 2)), complex(1, 2), float('inf'), slice(1, 5, 2), buffer('abc', 1, 1), unichr(97), oct(64), pow(2, -1), coerce(1, 2L), cmp([1, 2], [1, 3]), apply(max, ([1, 2],)), dir([])[-3:], globals().has_key('l'), locals() is globals(), vars().has_key('l'), hash(1) == hash(1.0) == hash(1L), type(id(1)), len(u'\u20ac'), 07, -2 ** 2, 2 ** 3 ** 2, -7 // 2, 7 % -3, 1 / 3., 10 / 4 * 4, 3 * 'ab', 0x7fffffff + 1, 2147483647 * 2, 9223372036854775807 + 1, ~0, 5 ^ 3, 1 << 3 | 1
