"""Files, pickles and pipes carry bytes as they are."""
import cPickle
import cStringIO
import os
import pickle
import shutil
import tempfile

folder = tempfile.mkdtemp()
name = os.path.join(folder, 'data')
everything = ''.join([chr(i) for i in range(256)])
f = open(name, 'w')
f.write(everything)
f.close()
print open(name).read() == everything, os.path.getsize(name), f.closed, f.mode
f = file(name, 'wb')
print >>f, 'line one'
f.writelines(['two\n', 'three'])
f.close()
f = open(name)
print repr(f.readline()), f.tell(), f.readlines(), repr(f.read())
f.seek(0)
print [line for line in f], f.next.__name__
f.seek(-5, 2)
print f.read(2), f.read(), isinstance(f, file), type(f)
f.close()
try:
    f.read()
except ValueError, why:
    print why
for line in open(name):
    print len(line),
print
f = open(name, 'a+')
f.write('\r\nx\ry')
f.seek(0)
print repr(f.read())
print repr(open(name, 'rU').read()), open(name, 'U').readlines()
try:
    open(os.path.join(folder, 'missing'))
except OSError:
    print 'OSError'
except IOError, (number, text):
    print 'IOError', number, text
try:
    os.remove(os.path.join(folder, 'missing'))
except IOError:
    print 'IOError'
except OSError, e:
    print 'OSError', e.errno, e.filename == os.path.join(folder, 'missing'), e[0], e[1]
try:
    open(name, 'q')
except (IOError, ValueError), e:
    print e.__class__.__name__

data = {'text': '\xe9\x00', 'unicode': u'\u20ac', 'number': 3L, 'list': [1, 2.5, None], 'tuple': (True,)}
for protocol in (0, 1, 2):
    dumped = cPickle.dumps(data, protocol)
    print type(dumped), cPickle.loads(dumped) == data, pickle.loads(pickle.dumps(data, protocol)) == data
f = open(name, 'w')
cPickle.dump('first', f, 1)
cPickle.dump([u'second'], f, 1)
f.close()
f = open(name)
print cPickle.load(f), cPickle.load(f)
try:
    cPickle.load(f)
except EOFError:
    print 'EOFError'
s = cStringIO.StringIO()
cPickle.dump({'a': 1}, s)
s.seek(0)
print cPickle.load(s)
s = cStringIO.StringIO('a\nb\n')
print s.readline(), s.read(), s.getvalue().split(), [l for l in cStringIO.StringIO('x\ny')]


class Classic:
    def __init__(self):
        self.value = '\xff'


class Modern(object):
    pass


c = cPickle.loads(cPickle.dumps(Classic()))
print c.__class__.__name__, repr(c.value), isinstance(cPickle.loads(cPickle.dumps(Modern(), 2)), Modern)
print cPickle.loads("S'abc\\xe9'\np1\n.") == 'abc\xe9', repr(cPickle.loads("(lp1\nI1\naVx\\u20ac\np2\na."))
try:
    cPickle.loads('garbage')
except Exception, e:
    print 'refused'

print os.popen('echo out; echo more').readlines(), os.popen('exit 3').close(), os.popen('true').close()
p = os.popen('cat > %s' % name, 'w')
p.write('\xe9')
p.close()
print repr(open(name).read())
import commands
print commands.getoutput('echo hi'), commands.getstatusoutput('echo x; exit 2')
import popen2
out, into = popen2.popen2('cat')
into.write('through cat\n')
into.close()
print out.read(),
import subprocess
p = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print repr(p.communicate('\xe9\n')[0]), p.returncode
print repr(subprocess.check_output('printf "\\351"', shell=True)), subprocess.call(['false'])
odd = os.path.join(folder, 'caf\xc3\xa9')
open(odd, 'w').close()
print [n for n in os.listdir(folder) if n != 'data'], os.path.exists(odd), os.path.basename(odd) == 'caf\xc3\xa9'
os.environ['BISKIT_TEST'] = 'caf\xc3\xa9'
print repr(os.environ['BISKIT_TEST']), os.popen('echo $BISKIT_TEST').read(), os.environ.has_key('HOME'),
print os.getenv('BISKIT_NONE', 'default')
import gzip
z = gzip.open(name + '.gz', 'wb')
z.write('\xe9zipped\n')
z.close()
print repr(gzip.open(name + '.gz').read())
import struct, zlib, base64, md5, hashlib, binascii
print repr(struct.pack('>h2s', 258, 'ab')), struct.unpack('>h', '\x01\x02'), struct.calcsize('ii')
print zlib.decompress(zlib.compress('abc')), zlib.crc32('abc\xff'), base64.encodestring('\xff'), repr(base64.b64decode('/w=='))
print md5.new('a').hexdigest(), repr(hashlib.md5('\xe9').digest()[:4]), binascii.hexlify('\xe9')
shutil.rmtree(folder)
print os.path.exists(folder)
