# -*- coding: latin-1 -*-
# Sequence alignment, with the tabs, scopes and prints of its time.
import sys, string
codons = {'TTT':'F','TTC':'F','TTA':'L','TTG':'L','CTT':'L','CTC':'L','CTA':'L','CTG':'L','ATT':'I','ATC':'I','ATA':'I','ATG':'M','GTT':'V','GTC':'V','GTA':'V','GTG':'V','TCT':'S','TCC':'S','TAA':'*','TAG':'*','TGA':'*'}
def align(a, b, match = 2, mis = -1, gap = -2):
	rows, cols = len(a) + 1, len(b) + 1
	F = [[0] * cols for i in range(rows)]
        for i in range(rows): F[i][0] = gap * i
	for j in range(cols): F[0][j] = gap * j
	for i in range(1, rows):
	    for j in range(1, cols):
		s = a[i-1] == b[j-1] and match or mis
		F[i][j] = max(F[i-1][j-1] + s, F[i-1][j] + gap, F[i][j-1] + gap)
	x = y = ''
	i, j = rows - 1, cols - 1
	while i > 0 or j > 0:
	    if i > 0 and j > 0 and F[i][j] == F[i-1][j-1] + (a[i-1] == b[j-1] and match or mis): x, y, i, j = a[i-1] + x, b[j-1] + y, i - 1, j - 1
	    elif i > 0 and F[i][j] == F[i-1][j] + gap: x, y, i = a[i-1] + x, '-' + y, i - 1
	    else: x, y, j = '-' + x, b[j-1] + y, j - 1
	return x, y, F[-1][-1]
print align('GATTACA', 'GCATGCU'), "%s\n%s %d" % align('HEAGAWGHEE', 'PAWHEAE')
def translate(dna):
    prot = ''
    for i in range(0, len(dna) / 3 * 3, 3): prot = prot + codons.get(dna[i:i+3], 'X')
    return prot
print translate('ATGTTTCTAATTGTCTAA'), len(codons), 1 <> 2, `1 <> 1`
inv = {}
for c, aa in codons.items(): inv.setdefault(aa, []).append(c)
for aa in inv.keys(): inv[aa].sort()
print inv
counter = 0
def count():
    global counter
    counter = counter + 1
    exec 'z = counter * 2'
    return z
print count(), count(), counter
exec "def made(x):\n  return x ** 2\n"
print made(5)
ns = {'a': 5}; exec 'b = a + 1; import string as S' in ns; print ns['b'], ns.keys().sort(), 'S' in ns; print eval('a * 2', ns), eval('x + y', {'x': 1}, {'y': 2})
print "soft", ; print "space"; print 'a', 'b', ; print
print 'tab\t', 'x'; print 'nl\n', 'y'; print; print (1, 2), (3); print ('paren'), 1; print "%s" % 'x',; sys.stdout.write('|'); print 'after'
print >>sys.stdout, 'to', 'stdout',; print >>sys.stdout, '!'; print >>None, 'none'
s = 'Grüße é'; print len(s), repr(s), s.upper() == 'GRüßE é', u'Grüße'.upper().encode('latin-1') == 'GRÜßE' , repr(u'é'), s
total = 1 + \
  2 + \
  3; print total
if total == 6 and \
   not 0: print 'continued'
d = {'name': 'LYS', 'n': 5, 'f': 1.25}; print '%(name)s %(n)04d %(f)6.2f %(name)-6s|' % d, 'local %(counter)s' % globals()
a, (b, c), [d, e] = 1, (2, 3), [4, 5]; print a, b, c, d, e; a, b = b, a; print a, b; x = y = []; x.append(1); print y; (p, q), r = 'ab', 3; print p, q, r
l = range(10); l[2:5] = ['x']; print l; del l[::2]; print l; l[1:1] = [7, 8]; print l, l[-3:], l[:-1], l[::-1], l[5:2], l[1:100]; l += 'ab'; print l; l *= 2; print len(l); print [1, 2] * 2 + [3], [[]] * 2, range(5, 0, -2), range(3)[-1]
for i in range(3):
    for j in range(3):
        if j == i: continue
        if j > 1: break
    else: print 'no break', i
else: print 'loop else'
while 1:
    try: break
    finally: print 'fin'
def defaults(a, b=[], *c, **d): b.append(a); return a, b, c, d
print defaults(1), defaults(2), defaults(3, [], 4, k=5), defaults.func_defaults, defaults.__name__, defaults.func_code.co_argcount, defaults.func_code.co_varnames
def outer():
    x = 1
    def inner(y): return x + y
    return inner
print outer()(5), map(outer(), [1, 2]), (lambda *a: a)(1, 2), [f(2) for f in [lambda n, i=i: n * i for i in range(3)]]
class Empty: pass
e = Empty(); e.x = 1; setattr(e, 'y', 2); print e.x, getattr(e, 'z', 'none'), hasattr(e, 'y'), vars(e), e.__dict__; del e.x; print e.__dict__
assert total, 'never'; print __name__, __doc__, __file__[-6:], __builtins__ is not None
print type(1) == int, type('') is str, type(()), type([]), type({}), type(1.0), type(1L), type(1j), type(None), type(len), type(align), type(Empty), type(e), type(e.__init__ if 0 else 1), type(sys), type(u''), type(True), type(xrange(1)), type(type), type(object()), type(lambda: 0), type(Exception()), type(slice(1))
if 1: print 'one line'; print 'two'
print [i for i in range(10) if i % 2 if i > 3], [(i, j) for i in range(3) for j in range(i)], i, j, dict([(k, len(k)) for k in ['a', 'bb']]), sum(i for i in range(4)), set(x % 3 for x in range(9)), {}.fromkeys([1, 2], 0), [x for x, in [(1,), (2,)]]
