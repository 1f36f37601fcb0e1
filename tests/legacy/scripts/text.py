# -*- coding: utf-8 -*-
"""8-bit strings and unicode."""
import string
import types

s = 'é'
u = u'é'
print len(s), len(u), repr(s), repr(u), [s], [u], s, u.encode('utf-8')
print repr(s.decode('utf-8')), repr(u.encode('latin-1')), repr(u.encode('utf-8')), s.decode('utf-8') == u
print type(s) == str, type(u) == unicode, isinstance(s, str), isinstance(u, str), isinstance(u, basestring)
print isinstance(s, basestring), isinstance(s, unicode), type(s) is types.StringType, type(u) in types.StringTypes
for job in ("s + u", "u'%s' % s", "'%s' % u + s", "unicode(s)", "str(u)", "s in u", "u.encode('ascii')",
            "''.join([s, u])"):
    try:
        print eval(job)
    except UnicodeError, why:
        print why.__class__.__name__, why
print repr('abc' + u'd'), repr('a' 'b'), repr(u'a' + 'b'), repr('%s' % u'x'), repr('-'.join(['a', u'b']))
print repr(u'abc'[1]), repr(u'a b'.split()), repr(u'x'.upper()), repr(u'a,b'.replace(',', ';')), repr(u'x' * 2)
print repr('\xe9'.upper()), repr('\xe9'.isalpha()), repr('a\xa0b'.split()), repr('\x1fa\x1f'.strip()), repr('\x85a')
print repr('a\x0bb\x1cc\nd'.splitlines()), repr('a\xe9b'.title()), repr('ß'.lower()), 'ABC'.lower(), 'abc'.title()
print repr('\xe9' 'a'), repr("it's"), repr('"'), repr('\n\t\\\x00'), repr('\'"')
print '\xe9' == u'\xe9', '\xe9' != u'\xe9', 'a' == u'a', cmp('a', u'a'), u'b' > 'a'
print repr(chr(233)), repr(unichr(233)), ord('\xe9'), ord(u'\u1234'), len(u'\u1234'), len('\u1234'), repr('\u1234\N')
print repr(r'\u1234\d'), repr(ur'\u0041\d'), repr(u'\N{EURO SIGN}'), repr(b'bytes'), repr('\d\777'[:2])
print repr('abc'.encode('hex')), repr('616263'.decode('hex')), repr('a'.encode('base64')), repr('nop'.encode('rot13'))
print repr(string.maketrans('ab', 'xy')[95:100]), 'aabb'.translate(string.maketrans('ab', 'xy'), 'b')
print string.join(['a', 'b']), string.split('a b'), string.strip(' a '), string.upper('a'), string.replace('aa', 'a', 'b')
print string.atoi('12'), string.atof('1.5'), string.zfill(5, 3), string.letters, string.lowercase[:3], string.find('ab', 'b')
print string.ljust('a', 3) + '|', string.capwords('a bc'), string.whitespace == '\t\n\x0b\x0c\r ', string.index('ab', 'b')
print repr(unicode('abc')), repr(unicode('\xc3\xa9', 'utf-8')), repr(str(u'abc')), unicode(1.5) == u'1.5'
print repr(buffer('abcdef', 1, 2)[:]), intern('x'), 'abc'.find('c'), 'abc'.index('b'), 'a-b'.partition('-')
print repr("%s" % 'é'), repr("%r" % 'é'), repr(u'%r' % 'é'), repr('%5s' % 'é')


class WithUnicode(object):
    def __unicode__(self):
        return u'\u20ac'

    def __str__(self):
        return 'euro'


print repr(unicode(WithUnicode())), str(WithUnicode()), '%s' % WithUnicode()
d = {'é': 1}
print d, d['é'], 'caf\xc3\xa9' in {'café': 1}
print sorted(['b', u'a', 'c']), sorted(['\xe9', 'z'])
import re
print re.findall(r'\w+', 'aé b'), re.split('x*', 'axbc'), re.sub('x*', '-', 'abxd'), re.match('(?i)É', 'é')
print re.sub(r'(a)', r'<\1>', 'banana', 2), re.findall('(b)(a)', 'ba'), re.search('n', u'banana').group(), re.escape('a.b')
print repr(u'%s' % 'x'), repr('%s %s' % ('a', u'b')), repr('%d' % 3), repr(u'{0}'.format('a'))
print 'a\tb'.expandtabs(4), 'abc'.center(7, '*'), '7'.zfill(3), 'aXb'.swapcase(), 'abc'.count('b')
print isinstance('a', (int, str)), issubclass(str, basestring), issubclass(unicode, str), str.upper('a'), map(str.strip, [' a '])
