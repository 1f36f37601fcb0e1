"""Results of old-style array code that do not depend on which module it came from."""
import numpy as N


def window(n, l):
    count, rest = l / n, l % n
    if rest:
        count += 1
    return [(i * n, min((i + 1) * n, l)) for i in range(count)]


print window(N.int64(3), 10), window(4, N.int64(10))
m = N.arange(12).reshape((3, 4))
print m.sum() / 5, m.mean(), (m / 3).tolist(), (m[1] / 2.0).tolist(), m[0, 1] / 2, m[2][3] / m[1][0]
print [x / 2 for x in m[1]], sum(m[0]) / len(m[0]), m[:, 1] / N.array([1, 2, 3])
index = m.shape[0] / 2
print m[index], m[len(m) / 2:], m[:index / 1]
