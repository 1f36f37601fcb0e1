"""Small things of the language and its modules that old scripts leaned on."""
import sys, traceback, heapq, bisect, array, random, StringIO, warnings, threading
# 1
def f(): raise KeyError('inner')
try:
    try:
        f()
    except KeyError:
        raise ValueError, 'x', sys.exc_info()[2]
except ValueError:
    print '1', len(traceback.extract_tb(sys.exc_info()[2]))
def g():
    try: f()
    except KeyError: raise ValueError, 'x', sys.exc_info()[2]
try: g()
except ValueError: print '1b', [ (e[2]) for e in traceback.extract_tb(sys.exc_info()[2])]
# 2
for kw in dict(errors='ignore'), dict(encoding='latin-1'), dict(encoding='ascii', errors='replace'):
    try: print '2', repr(unicode('a\xe9', **kw))
    except Exception, e: print '2', e.__class__, e
# 3
class E1(Exception):
    def __init__(self, a, b): self.a = a
class E2(Exception):
    def __init__(self, a): Exception.__init__(self, a, 'more')
e = E1(1, 2); print '3', e.args, str(e), repr(e)
print '3', E2(1).args, E2(1)[0], E2(1)[1:], [x for x in E2(1)][:1]
# 4 soft space
s = StringIO.StringIO()
print >>s, 'b',
s.write('|')
print >>s, 'c'
print '4', repr(s.getvalue())
# 5
class P: pass
p = P()
p.__len__ = lambda: 7
p.__getitem__ = lambda i: i * 2
p.__call__ = lambda x: ('called', x)
try: print '5', len(p), p[4], p(3)
except Exception, e: print '5', e.__class__, e
p2 = P(); p2.__str__ = lambda: 'text'; p2.__repr__ = lambda: 'rep'; p2.__nonzero__ = lambda: False; p2.__add__ = lambda o: ('add', o); p2.__cmp__ = lambda o: 0; p2.__iter__ = lambda: iter([1,2]); p2.__contains__ = lambda x: True
try: print '5b', str(p2), repr(p2), bool(p2), p2 + 1, p2 == 5, list(p2), 9 in p2
except Exception, e: print '5b', e.__class__, e
# 6
class A: pass
class B(A): pass
print '6', A.__bases__, B.__bases__ == (A,)
class L:
    def __long__(self): return 5L
    def __int__(self): return 6
print '7', repr(long(L())), int(L())
class U:
    def __unicode__(self): return u'uni'
    def __str__(self): return 'str'
print '8', u'%s' % U(), '%s' % U(), u'%s %s' % (U(), 1), unicode(U())
# 9
h = []
for x in 'b', 3, None, (1,), 'a', 1.5: heapq.heappush(h, x)
print '9', [heapq.heappop(h) for i in range(6)]
l = [None, 1, 'a']; bisect.insort(l, 2); bisect.insort(l, (1,)); print '9', l, bisect.bisect(l, 'a')
print '9', heapq.nsmallest(2, ['a', 1, None]), heapq.nlargest(2, ['a', 1, None])
# 10
a = array.array('c', 'hello'); print '10', a, a.tostring(), a[0], array.array('B', 'ab'), len(a)
a.fromstring(' you'); print '10', a.tostring(), a.typecode
# 11
for m in 'rfc822', 'Cookie', 'repr', 'statvfs', 'imp':
    try: mod = __import__(m); print '11', m, mod.__name__
    except ImportError, e: print '11', m, e
import repr as R; print '11', R.repr(range(100))
import Cookie; c = Cookie.SimpleCookie(); c['a'] = 'b'; print '11', c
import statvfs; print '11', statvfs.F_BSIZE
import rfc822; print '11', rfc822.parseaddr('A B <a@b.c>'), rfc822.Message(StringIO.StringIO('Subject: x\nTo: y\n\nbody')).getheader('subject')
import imp; f_, path, desc = imp.find_module('details'); print '11', path[-10:], desc, f_.readline()
# 12
random.seed('text'); print '12', random.random()
random.seed(5); random.jumpahead(10); print '12', random.random()
random.seed(5L); print random.random()
print '13', hash('a'), hash('hello world'), hash(''), hash(u'a')
print '14', hash(('a', 1, ('b',))), hash(-1), hash(7)
# 15
print '15', threading.currentThread().getName()
t = threading.Thread(); t.setDaemon(True); print t.isDaemon(), t.isAlive()

# one instance's own methods leave the others alone, and its class
q = P()
print '16', p.__class__ is P, isinstance(p, P), hasattr(q, '__len__'), callable(q), bool(q), p == p, q == p
p.x = 4
import cPickle, copy, sys
del p.__dict__['__len__'], p.__dict__['__getitem__'], p.__dict__['__call__']
print cPickle.loads(cPickle.dumps(p)).x, copy.copy(p).x
class V(Exception):
    def __init__(self, text): self.text = text
    def __str__(self): return 'V ' + self.text
try: raise V('y')
except V, v: print '17', v, v.args, v.text
try: raise V, 'z'
except Exception, v: print '17', v, v.args, v.message
class W(ValueError):
    pass
print '18', W(1, 2)[0], W(1, 2)[1:], W('a').args, len(W(1, 2).args)
import array
a = array.array('c')
a.append('x'); a.extend('yz'); a.insert(0, 'w'); a[1] = 'Q'
print '19', a, list(a), a[1:3], 'y' in a, a.pop(), a.index('y'), a.count('q'), a == array.array('c', 'wQy')
print '20', repr(random.Random('a').sample(range(100), 4)), random.Random(u'a').random(), random.Random((1, 'x')).random()
w = random.WichmannHill(5)
print '21', w.random(), w.random(), w.randint(1, 100), w.choice('abc'), w.uniform(1, 2), w.getstate()
for seed in 7L, 'text', -3, 2.5:
    w.seed(seed); print '21', w.random(),
    w.whseed(seed); print w.random(), w.getstate()
state = w.getstate(); x = w.random(); w.setstate(state); w.jumpahead(1); print '21', w.random() != x
w.jumpahead(10); print '21', w.random(), w.gauss(0, 1), isinstance(w, random.Random), 0 <= random.WichmannHill().random() < 1
l = range(10); random.WichmannHill(1).shuffle(l); print '21', l, random.WichmannHill(1).sample(range(20), 4)
