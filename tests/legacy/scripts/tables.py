# the order in which dictionaries and sets list what they hold, and the numbers that it comes from
import cPickle
import UserDict

words = []
x = 7
for i in range(400):
    x = (x * 1103515245 + 12345) % 2147483648
    word = ''
    for j in range(1 + x / 65536 % 9):
        word += chr(97 + x / (7 * j + 3) % 26)
    words.append(word)


def check(keys):
    n = 0
    for key in keys:
        n = (n * 31 + hash(key)) % 1000003
    return n


for n in 1, 4, 5, 6, 7, 21, 22, 85, 86, 341, 342, 400:
    text, number, mixed, negative, long_ = {}, {}, {}, {}, {}
    for i in range(n):
        text[words[i]] = i
        number[(n - i) * 3] = i
        mixed[[words[i], i, (words[i], i), i * .75, u'%d' % i][i % 5]] = i
        negative[i * i * i - 50] = i
        long_[7L ** i % 10 ** 21] = i
    print n, [check(d.keys()) for d in text, number, mixed, negative, long_], text.values()[:5]
    print check(text), check(list(text)), check(tuple(text)), check([k for k in text]), check(text.iterkeys()), \
        check(text.items()), check([k for k, v in text.iteritems()]), check(map(None, text)), check(zip(text, text)), \
        check(enumerate(text)), check(filter(None, text)), check(iter(text)), check(','.join(text)), \
        check(sorted(text, key=len)), max(text, key=len), reduce(lambda a, b: a + b[0], text)[:9]

print {'ALA': 1, 'GLY': 2, 'CYS': 3, 'MET': 4}, `dict(alpha=1, beta=2, gamma=3)`, str({'x': {'one': 1, 'two': 2, 'three': 3}})
for name in {'CA': 1, 'CB': 2, 'N': 3, 'C': 4, 'O': 5}:
    print name,
print
print set(['CA', 'CB', 'N']), frozenset('abc'), [c for c in set('helix')], {}.fromkeys('strand').keys()


def options(**named):
    return named, named.keys()


print options(verbose=1, title='x', niceness=19, hosts=[])


class Atom:
    def __init__(self):
        self.name, self.serial, self.chain, self.xyz = 'CA', 1, 'A', (0, 0, 0)


class Model(dict):
    pass


print Atom().__dict__, vars(Atom()).keys()
m = Model()
for word in words[:5]:
    m[word] = len(word)
print m, m.keys(), m.values(), [k for k in m]
u = UserDict.UserDict(one=1, two=2, three=3)
print u, u.keys(), u.items()
d = {'one': 1, 'two': 2, 'three': 3}
print `cPickle.dumps(d)`, d.popitem(), d
try:
    for key in d:
        d[key * 2] = 0
except RuntimeError, e:
    print e
rest = []
rest.extend({'one': 1, 'two': 2, 'three': 3})
print rest

for value in [0, -1, True, 2 ** 62, 2 ** 63, -2 ** 62, 2 ** 64 - 1, 10 ** 30, -3L, 1.5, -0.1, 1e300, 2.0 ** 70, -0.0, float('inf'), 1 + 2j,
              '', 'a', u'a', '\xe9\xff', (), (1, 'a', (2.5,)), (-1, -1), frozenset([1, 'b']), (frozenset(), 3L)]:
    print `value`, hash(value)

# -- one where another one was before, with keys that are equal and yet not the same
def numbers(): return {1: 0, 2: 0, 3: 0}.keys()
def fractions(): return {1.0: 0, 2.0: 0, 3.0: 0}.keys()
def words(): return {'a': 0, 'b': 0}.keys()
def texts(): return {u'a': 0, u'b': 0}.keys()
print numbers(), fractions(), numbers()
print words(), texts(), words()
