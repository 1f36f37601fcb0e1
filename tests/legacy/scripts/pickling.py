"""What pickles of Python 2 hold, and that they come back as they were."""
import cPickle
import pickle
import copy_reg
import StringIO
import re
import pickled


def shown(text):
    """A pickle without what is kept for later, which hung on how often Python had referred to an object."""
    return repr(re.sub('p[0-9]+\n|q[\x00-\x1f]', '', text))[:150]


class Local:
    def __init__(self, x):
        self.x = x


values = [
    None, True, 1, -1, 255, 256, 70000, 2 ** 31, -2 ** 31, 2 ** 40, 2 ** 70, 5L, -2 ** 70, 0L, 1.5, -0.0, 1e300,
    'x', 'two', '', 'with \'quotes" and \n \\ \x00 \xe9', 'a' * 300, u'u', u'\xe9t\xe9', u'\u20ac \\ \n', (), (1,), (1, 2, 3, 4),
    [], [1, [2]], {}, {'k': 2}, set([1]), 2j, int, str, unicode, long, object, ValueError, IOError, len,
    pickled.New, pickled.Old, pickled.function, xrange, slice, type(None) is type(None),
]
for value in values:
    for protocol in 0, 1, 2:
        text = cPickle.dumps(value, protocol)
        back = cPickle.loads(text)
        print shown(text), type(back).__name__, back == value, type(back) is type(value)
        assert pickle.loads(pickle.dumps(value, protocol)) == value
    print shown(pickle.dumps(value))

for value in pickled.Old(3), pickled.New(4), pickled.WithState(5), pickled.WithArguments(6), pickled.Slotted(7):
    for protocol in 0, 1, 2:
        if protocol < 2 and isinstance(value, pickled.Slotted):
            continue
        for module in cPickle, pickle:
            text = module.dumps(value, protocol)
            back = module.loads(text)
            print protocol, shown(text), back.__class__ is value.__class__, back.x

shared = ['same text', pickled.Old(1)]
for module in cPickle, pickle:
    for protocol in 0, 1, 2:
        a, b, c, d = module.loads(module.dumps([shared, shared, shared[0], shared[1]], protocol))
        print a is b, a[1] is d, c, d.x

endless = [1]
endless.append(endless)
loop = pickled.Old(None)
loop.x = loop
for protocol in 0, 1, 2:
    back = cPickle.loads(cPickle.dumps(endless, protocol))
    print back[1] is back, cPickle.loads(cPickle.dumps(loop, protocol)).x.__class__
back = pickle.loads(pickle.dumps((endless, (endless,))))
print back[0] is back[1][0]

file = StringIO.StringIO()
for maker in cPickle.Pickler, pickle.Pickler:
    pickler = maker(file, 1)
    one = pickled.Old('once')
    pickler.dump(one)
    pickler.dump([one, one])
    pickler.clear_memo()
    pickler.dump(one)
file.seek(0)
for maker in cPickle.Unpickler, pickle.Unpickler:
    reader = maker(file)
    first = reader.load()
    second = reader.load()
    print first.x, second[0] is first, second[1] is first, reader.load().x

for bad in pickle, lambda: 0, Local:
    for module in cPickle, pickle:
        try:
            module.dumps(bad)
            print 'pickled', bad is Local
        except (pickle.PicklingError, TypeError, cPickle.PicklingError):
            print 'refused'

print [(k, v) for k, v in pickle.loads("(dp0\nVkey\np1\nL5L\nsS'a'\np2\n(iUserDict\nUserDict\np3\n(dp4\nS'data'\np5\n(dp6\nsbs.").items() if k == u'key']
