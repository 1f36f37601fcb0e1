"""Modules that are gone, and ones that answered otherwise."""
import sys, os
import types, copy, time, random, math, operator, thread, threading, Queue
import user
import new
import __builtin__
import ConfigParser
import StringIO
from threading import Thread, _RLock, _Condition, RLock
from string import *

print user.home == os.environ['HOME'], sys.maxint, sys.version_info[:2], sys.version[:3], sys.platform
print __builtin__.open is open, __builtin__.len('abc'), hasattr(__builtin__, 'unicode')
print atoi('7'), split('a b'), upper('x'), join(['a', 'b'], '-')
print math.floor(2.5), math.ceil(2.1), round(2.5), round(-2.5), round(0.5), round(1.005, 2), round(1234.5, -2), round(7)
print oct(8), hex(255), oct(0), hex(2 ** 65), oct(0755), int(oct(0755)[1]), bin(5)
print long(5), int(2 ** 65) == 2 ** 65, int(3.9), int('12'), long('12L'[:2]), type(2 ** 65), type(int(2.0 ** 65))
print isinstance(5, long), isinstance(5L, int), isinstance(2 ** 70, int), isinstance(2 ** 70, long), isinstance(True, int)
print type(1) == types.IntType, type(1L) is types.LongType, types.NoneType is type(None), types.ListType([1])
print isinstance({}, types.DictType), isinstance('a', types.StringTypes), isinstance(len, types.BuiltinFunctionType)
print type(slice(1)) is types.SliceType, type(sys) is types.ModuleType, isinstance(lambda: 1, types.LambdaType)
random.seed(42)
print random.random(), random.randint(1, 100), random.choice('abcdef'), random.sample(range(50), 4), random.uniform(1, 2)
l = range(8)
random.shuffle(l)
print l, random.randrange(0, 100, 7), random.gauss(0, 1), random.randrange(10)
random.seed('text')
print random.random()
print operator.isCallable(len), operator.isSequenceType([]), operator.isMappingType({}), operator.isNumberType(1)
print operator.lt(None, 1), operator.itemgetter(1)([1, 2]), operator.add('a', 'b')


class Worker(Thread):
    def __init__(self, box):
        Thread.__init__(self)
        self._stop = 0
        self._args = 'mine'
        self._target = None
        self.box = box

    def run(self):
        self.box.append(self.getName() != '')


box = []
w = Worker(box)
print w.isAlive(), isinstance(w, Thread), w.isDaemon()
w.setDaemon(True)
w.start()
w.join()
print box, w.isAlive(), w._stop, w._args, threading.currentThread().getName()
print isinstance(RLock(), _RLock), isinstance(threading.Condition(), _Condition), isinstance(3, _RLock)
lock = thread.allocate_lock()
lock.acquire()
print lock.locked()
q = Queue.Queue()
q.put(1)
print q.get(), q.empty()
try:
    q.get_nowait()
except Queue.Empty:
    print 'empty'
c = ConfigParser.ConfigParser()
c.readfp(StringIO.StringIO('[s]\na = 1\nb: two ; comment\n'))
print c.get('s', 'a'), c.get('s', 'b'), c.has_option('s', 'z'), sorted(c.items('s'))
print time.clock() >= 0, copy.copy([1]), copy.deepcopy({1: [2]})
import urllib, urlparse, inspect, getopt, json, csv, unittest
print urllib.quote('a b/\xe9'), urllib.unquote('%C3%A9') == '\xc3\xa9', urlparse.urlparse('http://h/p')[1]
print inspect.getargspec(lambda a, b=1, *c, **d: 0)[:2], getopt.getopt(['-a', 'x'], 'a:')
print json.loads('{"a": "\\u00e9"}'), json.dumps({'a': [1, None, 'x']}), repr(json.loads('"x"'))
out = StringIO.StringIO()
csv.writer(out).writerow([1, 'a,b', None])
print repr(out.getvalue()), list(csv.reader(['a,"b c"', '1,2']))


class Case(unittest.TestCase):
    def test(self):
        self.assert_(1)
        self.assertEquals(1, 1)
        self.failUnless(True)


suite = unittest.TestSuite()
suite.addTests(unittest.TestLoader().loadTestsFromTestCase(Case))
result = unittest.TestResult()
suite.run(result)
print result.testsRun, result.wasSuccessful(), len(suite._tests), suite._tests[0].__class__.__name__
import string, sets, commands, popen2, cPickle, cStringIO, md5, sha, exceptions, copy_reg, UserDict, UserList
print sorted(name for name in ('string', 'user') if name in dir())
print sys.getdefaultencoding(), sys.stdout.softspace in (0, 1), isinstance(sys.stdout, file), sys.stdin.name
print hasattr(sys, 'setdefaultencoding'), callable(sys.exit), sys.exc_clear() is None
print os.path.join('a', 'b'), os.sep, os.path.splitext('x.y'), os.getcwd() == os.getcwdu(), type(os.getcwdu())
found = []
os.path.walk(os.path.dirname(os.path.abspath(__file__)) or '.', lambda arg, d, names: arg.append(len(names) > 0), found)
print found[0]
