"""print, soft space, files and standard streams."""
import sys
import StringIO

print
print 1
print 1,
print 2
print 'a',
print 'b',
print
print 'tab\t',
print 'after tab'
print 'newline\n',
print 'after newline'
print 'x',
sys.stdout.write('written')
print 'after write'
print ('one'), ('two')
print ('tuple', 2)
print ()
print (1, ), [1], {1: 2}
print "%s" % 'formatted', "a" "b"
print >>sys.stdout, 'to stdout', 1
print >>sys.stdout
print >>sys.stdout, 'comma',
print >>sys.stdout, 'ends'
out = StringIO.StringIO()
print >>out, 'first', 2
print >>out, 'second',
print >>out, 'third'
print repr(out.getvalue())
print >>None, 'None is stdout'


class Writer:
    def __init__(self):
        self.parts = []

    def write(self, text):
        self.parts.append(text)


w = Writer()
print >>w, 'a', 1, None
print >>w, 'b',
print >>w, 'c'
print w.parts
old = sys.stdout
sys.stdout = w
print 'captured'
sys.stdout = old
print w.parts[-2:]
print 1.0, 0.1 + 0.2, 1e100, 1e16, 123456789012.0, 1234567890123.0, 1e-5, float('inf'), -0.0
print [0.1 + 0.2, 1.0], (0.1 + 0.2,), {'x': 0.1 + 0.2}
print 1L, [1L], 2 ** 64, [2 ** 64], -2 ** 63, [-2 ** 63 - 1], 3 + 4j, 1 / 3.0 + 1j
print None, True, Ellipsis, NotImplemented
print 'a' 'b', u'c', [u'd'], ('e', u'f'), [None]
print str(1.23456789012345), repr(1.23456789012345), `1.5`, `'x', 1`
print "%s %d %i %5.2f %r %x %o %e %g %%" % ('s', 3.7, 4L, 1.005, 'r', 255, 8, 1234.5, 0.0001)
print "%(a)s %(b)05d %(a)r" % {'a': 0.1 + 0.2, 'b': 42}
print "%s %s" % (0.1 + 0.2, [0.1 + 0.2]), "%s" % None, "%s" % (1, ), "%-5s|%5s|%.2s" % ('ab', 'cd', 'efg')
print "%*d|%-*d|%.*f" % (5, 42, 5, 42, 2, 3.14159), "%c%c" % ('a', 98), "%#o %#x" % (8, 255), "%+d % d" % (5, 5)
print '{0} {1!r} {2:.2f} {name}'.format(0.1 + 0.2, 'x', 3.14159, name=1.1)
print set([1]), frozenset([2]), set(), [set('a')]
print ValueError('x'), repr(ValueError('x')), repr(ValueError('x', 2)), ValueError('x', 2), [KeyError('k')]
print type(1), type(1L), type('a'), type(u'a'), type(None), type([]), ValueError, IOError, object, file, type(len)


def prints(text):
    print 'while', text
    return text


print 'first', prints('second'), prints('third')
print >>sys.stdout, 'a', prints('b')
print 'no newline at the end',
