"""Lists where Python 3 has views and iterators; dictionary methods."""
d = {1: 'a'}
k = d.keys()
k.append(2)
print k, d.values(), d.items(), type(d.keys()), d.keys()[0]
print d.has_key(1), d.has_key(2), 1 in d
f = d.has_key
print f(1), map(d.has_key, [1, 2])
print list(d.iterkeys()), list(d.itervalues()), list(d.iteritems())
it = d.iteritems()
print it.next()
try:
    it.next()
except StopIteration:
    print 'stop'
for key in d.keys():
    d[key + 10] = 'b'
print sorted(d.keys())
g = d.keys
print sorted(g())
print sorted(getattr(d, 'keys')())

print map(str, [1, 2.5, None]), map(None, 'ab', [1]), map(lambda a, b: (a, b), [1, 2], [3])
print filter(lambda x: x > 1, [1, 2, 3]), filter(None, (0, 1, '')), filter(lambda c: c != 'b', 'abc')
print zip('ab', [1, 2]), zip(), range(3), range(10, 0, -3), range(2, 4)
print len(map(None, range(3))), zip([1], [2])[0]
r = range(3)
r.append(9)
print r
print xrange(3), list(xrange(2, 5)), xrange(1, 10, 3), len(xrange(5)), xrange(5)[2]
print reduce(lambda a, b: a + b, [1, 2, 3]), reduce(lambda a, b: a * b, [2, 3], 10)
print apply(max, (1, 2)), apply(dict, (), {'a': 1})
print max([1, None, 'a']), min([1, None, 'a']), max('abc'), min(3, 2), max([1, 5, 3], key=lambda x: -x)
print sorted([3, 1, 2], cmp=lambda a, b: cmp(b, a)), sorted([3, 1, 2], reverse=True), sorted('bca', key=ord)
print any([0, 1]), all([]), sum([1, 2], 3)
print enumerate(['a']).next(), reversed([1, 2]).next()


class Own(dict):
    def has_key(self, key):
        return 'own has_key'

    def keys(self):
        return ['own keys']


o = Own()
print o.has_key(1), o.keys(), o.items(), o.values()


class Like:
    """Has methods of the same names, with other arguments."""

    def sort(self, indices):
        return 'sorted by %r' % (indices,)

    def has_key(self, key):
        return self.__contains__(key)

    def __contains__(self, key):
        return key == 'x'

    def keys(self, prefix):
        return prefix + 'keys'

    def items(self):
        return 'items'

    def next(self):
        return 'next'

    def strip(self, n):
        return 'stripped %i' % n

    def join(self, timeout=1):
        return 'joined %s' % timeout


m = Like()
print m.sort([1, 2]), m.has_key('x'), m.has_key('y'), 'x' in m, m.keys('my '), m.items(), m.next()
print m.strip(3), m.join(), m.join(timeout=2)
l = [3, 1, 2]
s = l.sort
s()
print l
l.sort(lambda a, b: b - a)
print l
l.sort(key=lambda x: -x, reverse=1)
print l
l.sort(cmp)
print l
t = [(1, None), (1, 'a'), (0, 3)]
t.sort()
print t
import itertools
print list(itertools.izip([1], [2])), list(itertools.imap(None, [1], [2])), list(itertools.ifilter(None, [0, 1]))
print list(itertools.izip_longest([1, 2], [3])), itertools.count(3).next()
print dict([(1, 2)]), dict(a=1), dict.fromkeys([1])
print [x for x in 1, 2, 3]
print coerce(1, 2.5), cmp(1, 2), cmp('b', 'a'), cmp((1, 2), (1, 2))
