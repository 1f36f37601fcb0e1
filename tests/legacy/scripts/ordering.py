"""Comparison of anything with anything."""


class Classic:
    pass


class Modern(object):
    def __init__(self, n):
        self.n = n

    def __cmp__(self, other):
        if isinstance(other, Modern):
            return cmp(self.n, other.n)
        return cmp(self.n, other)


print None < 1, None < 'a', None > None, None <= None, 1 < 'a', 'a' > 1, 1L < 'a', 2.5 < 'a'
print [] > {}, () > [], 'a' < (), {} < [], 1 < [], None < []
print [1, None] < [1, 2], (1, 'a') < (1, None), [1, 'x'] > [1, 5], {1: 2} < {1: 3}, {} < {1: 2}, {1: 2} == {1: 2}
print sorted([3, None, 'b', 1.5, (), [], {}, 'a', (1,)])
print sorted([(2, None), (1, 'z'), (2, 1), (None, 0)])
print cmp(None, 1), cmp('a', 1), cmp([1, 2], [1, 3]), cmp(Modern(1), Modern(2)), cmp(Modern(2), 2)
print Modern(1) < Modern(2), Modern(1) == Modern(1), Modern(1) != Modern(2), Modern(3) >= 2, 5 > Modern(3)
print max([Modern(1), Modern(5), Modern(3)]).n, sorted([Modern(2), Modern(1)])[0].n
print Modern(1) in [Modern(1)], [Modern(1)].index(Modern(1)), [Modern(1), Modern(1)].count(Modern(1))
print 1 < 2 < 3, 1 < 3 < 2, None < 0 < 'a', 3 > None > -1


def noisy(x):
    print 'noisy', x,
    return x


print noisy(1) < noisy(0) < noisy(5)
print noisy(1) < noisy(2) < noisy(5)


class Equal(object):
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return self.n == other.n


e = Equal(1)
print e == Equal(1), e != Equal(1), e != e, hash(e) == hash(e), len({e: 1, Equal(1): 2})
c = Classic()
print c == c, c != c, c == None, c < None, c < 'a', c in [c]
try:
    print 1j < 2
except TypeError, why:
    print why


class Raises(object):
    def __lt__(self, other):
        raise TypeError('mine')


try:
    Raises() < 1
except TypeError, why:
    print why
x = None
if x < 3:
    print 'None is small'
while x < 0:
    x = x or 0
print x
print 'abc' < u'abd', 'a' == u'a', u'a' == 'a', 'a' in u'abc', hash('a') == hash(u'a'), {'a': 1}[u'a']
print True < 2, True == 1, 1 == 1.0 == 1L, 10L > 9
