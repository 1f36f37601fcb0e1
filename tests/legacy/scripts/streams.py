# Files, standard streams and files in memory.
import sys, os, StringIO, cStringIO, tempfile
os.chdir(tempfile.mkdtemp())
f = open('t.txt', 'w'); f.write('one\ntwo\r\nthree\n'); f.writelines(['four\n', 'five']); print f.tell(), f.name, f.mode, f.closed, f.fileno() > 2; f.close(); print f.closed
f = open('t.txt'); print repr(f.readline()), f.tell(), repr(f.read(3)), repr(f.readline()), f.readlines(), repr(f.read()), repr(f.readline()); f.seek(0); print repr(f.read()); f.seek(-4, 2); print f.read(); f.seek(4); print f.next(), ; f.close()
print [l for l in open('t.txt', 'rU')], open('t.txt', 'rb').read()[4:9], open('t.txt').xreadlines().next(), list(file('t.txt'))[0]
try: f.read()
except ValueError, e: print e
try: open('t.txt', 'q')
except (ValueError, IOError), e: print e
try: open('t.txt').write('x')
except IOError, e: print e
f = open('t.txt', 'a'); f.write('+'); f.close(); f = open('t.txt', 'r+'); f.write('ONE'); f.seek(0, 2); print f.tell(); f.truncate(5); f.close(); print repr(open('t.txt').read()), os.path.getsize('t.txt')
f = open('b.bin', 'wb'); f.write(''.join(map(chr, range(256)))); f.close(); d = open('b.bin', 'rb').read(); print len(d), d == ''.join([chr(i) for i in range(256)]), repr(d[126:130]), ord(d[200]), hash(d) == hash(d[:])
f = open('w.txt', 'w+'); print >>f, 'printed', 1, ; print >>f, 2.5; f.flush(); f.seek(0); print f.readlines(); f.close()
s = StringIO.StringIO(); print >>s, 'x', ; s.write('y'); print >>s, 'z'; print repr(s.getvalue()), s.pos if hasattr(s, 'pos') else s.tell(), s.len if hasattr(s, 'len') else len(s.getvalue())
s = StringIO.StringIO('l1\nl2\nl3'); print s.readline(), s.read(1), s.readlines(), s.tell(), s.getvalue()[:2]; s.seek(0); print [l for l in s], s.closed; s.close()
c = cStringIO.StringIO(); c.write('abc'); c.seek(1); c.write('X'); print c.getvalue(); c.reset() if hasattr(c, 'reset') else c.seek(0); print c.read(2), c.tell(); c.truncate(0) ; print repr(c.getvalue())
old = sys.stdout; sys.stdout = StringIO.StringIO(); print 'captured', 1, 2; print 'more',; x = sys.stdout.getvalue(); sys.stdout = old; print repr(x)
class Tee:
    softspace = 0
    def __init__(self, *f): self.f = f
    def write(self, t): [g.write(t.upper()) for g in self.f]
sys.stdout = Tee(old); print 'tee', 1; print >>sys.stdout, 'x'; sys.stdout = sys.__stdout__; print 'back'
print repr(sys.stdin.readline()), sys.stdin.read() == '', [l for l in sys.stdin]
try: raw_input('prompt> ')
except EOFError, e: print 'EOF', e
try: input()
except EOFError: print 'EOF2'
f = os.fdopen(os.open('fd.txt', os.O_CREAT | os.O_WRONLY, 0644), 'w'); f.write('fd'); f.close(); print open('fd.txt').read(), os.path.isfile('fd.txt')
t = tempfile.NamedTemporaryFile(suffix='.pdb'); t.write('temp'); t.flush(); print open(t.name).read(), os.path.splitext(t.name)[1]; t.close(); print os.path.exists(t.name); n = tempfile.mktemp('.x'); print n[-2:]; h, n = tempfile.mkstemp(); os.write(h, 'raw'); os.close(h); print open(n).read(); os.remove(n); tf = tempfile.TemporaryFile(); tf.write('tt'); tf.seek(0); print tf.read()
import codecs; f = codecs.open('u.txt', 'w', 'utf-8'); f.write(u'caf\xe9\n\u20ac\n'); f.close(); print repr(open('u.txt').read()), codecs.open('u.txt', 'r', 'utf-8').readlines(), repr(codecs.open('u.txt', encoding='utf8').read())
import linecache, fileinput, shutil; print shutil.copyfileobj(open('t.txt'), open('copy.txt', 'w')), repr(open('t.txt').read(100000)); print open('/dev/null').read() == '', open('t.txt').isatty(), sys.stdout.encoding if 0 else ''
with_lines = open('big.txt', 'w'); [with_lines.write('%06d\n' % i) for i in xrange(5000)]; with_lines.close(); f = open('big.txt'); n = 0
while 1:
    lines = f.readlines(8192)
    if not lines: break
    n += len(lines)
print n, f.tell(); f.seek(7 * 10); print f.readline(), f.tell()
sys.stdout.softspace = 0; sys.stdout.writelines(['w1 ', 'w2\n']); sys.stdout.flush()
shutil.rmtree(os.getcwd())
