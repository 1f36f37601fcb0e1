"""NumPy: integer division, names that are gone, comparison, promotion, text; the reference is NumPy 1.16."""
import numpy as N
import numpy
import cPickle
import tempfile
import os

a = N.array([7, 8, -7])
print a / 2, 7 / N.array([2, 3]), a / 2., a // 2, a % 3, (a / 2).dtype, N.divide(a, 2), N.true_divide(a, 2)
a /= 2
print a, a.dtype
f = N.array([1, 2, 3], 'f')
print (f / 2).dtype, (f * 2.0).dtype, (f * N.float64(2)).dtype, (f + 1).dtype, (f * N.array([1., 2, 3])).dtype
x = f[1]
print type(x), type(x * 2.0), type(x + 1), type(x * x), type(2.0 * x), type(x / 3), repr(x / 3), x / 3
print x * 0.1 == 0.2, N.float32(0.1) == 0.1, N.float32(0.1) < 0.1, 0.1 * N.float32(0.1), type(N.float32(1) ** 2)
y = 0
y += x
print type(y), type(sum([x, x])), sum(f), type(f.sum()), type(f.mean()), type(N.sum(f))
i = N.array([100, 100], N.int8)
print (i + i), (i + 100).dtype, (i + 300).dtype, i + 300, N.uint8(200) + 100, type(N.int32(1) + 1), (i * 2.5).dtype
f *= 1.5
f += N.float64(1)
print f, f.dtype
print N.int(3.7), N.float(2), N.bool(1), N.object is object, N.str is str, N.rank(a), N.product([2, 3])
print N.sometrue([0, 1]), N.alltrue([0, 1]), N.cumproduct([1, 2, 3]), N.asscalar(N.array([3])), N.Inf, N.NaN
print isinstance(a[0], int), isinstance(f[0], float), isinstance(N.float64(1), float), isinstance(N.int32(1), int)
print a == N.array([1, 2]), N.array([1, 2]) == 'a', a != N.array([1]), (a == a).all(), N.array([1, 2]) == [1, 2]
print [N.float64(0.5), N.int64(3)], {'k': N.float64(0.1)}, (N.float32(0.5),), N.bool_(True), [N.bool_(True)]
print N.array([1.5, 2]), repr(N.array([1, 2])), str(N.float64(1) / 3), '%s' % N.float64(0.1), N.float64(1e16)
s = N.array(['ab', 'c'])
print s.dtype.char, s.dtype.kind, s, s[0] == 'ab', list(s), s == 'c', s.tolist(), isinstance(s[0], str)
print N.array(['x', 'yz']).astype('S1'), N.array('abc', 'c').shape
c = N.array([3, 1, 2], copy=0)
print N.asarray(c) is c, N.array(c, copy=0) is c, N.array([[1, 2], [3]]).dtype
print repr(N.array([1, 2], N.int16).tostring()), N.fromstring('\x01\x00\x02\x00', N.int16), N.fromstring('1 2', sep=' ')
print len(cPickle.loads(cPickle.dumps(f, 2))), cPickle.loads(cPickle.dumps(N.float32(2), 1)), f.tolist()
name = tempfile.mktemp()
out = open(name, 'w')
cPickle.dump({'frames': N.arange(6).reshape((2, 3)), 'names': ['a', '\xe9']}, out, 1)
out.close()
back = cPickle.load(open(name))
print back['frames'].shape, back['names'], back['frames'].sum()
os.remove(name)
print N.average([1, 2, 4]), N.average(N.array([1, 2], 'f')), N.nonzero([0, 3])[0], N.compress([1, 0], [5, 6])
print sorted(N.array([3, 1])), max(N.array([3, 1])), 3 in N.array([3, 1]), N.array([1, 2]).max() / 2
import numpy.linalg
from numpy import *
print numpy.linalg.det(array([[1, 2], [3, 4]])) < 0, float_(2), zeros(2, 'i'), sometrue([1]), type(rank([1]))
print max([3, 4]), min(2, 1), abs(-3), round(2.5), pow(2, 3), bool(0), int('5'), sum([1, 2]), any([0]), str(1.1)
print map(int, a), range(a[0])[:2], 'x' * a[0], [0] * a[0]
