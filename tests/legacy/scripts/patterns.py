# Regular expressions, and texts of numbers.
import re, string
blast = """BLASTP 2.2.17 [Aug-26-2007]
Query= sp|P12345|TEST_HUMAN Test protein
         (120 letters)
>gi|123456|ref|NP_000001.1| hypothetical protein [Homo sapiens]
 Score =  150 bits (378), Expect = 3e-36
 Identities = 80/118 (67%), Positives = 95/118 (80%), Gaps = 2/118 (1%)
Query: 1   MKTAYIAKQRQISFVKSHFSRQ--LEERLGLIEVQ 33
           MKTAYIAKQR ISFVKSHFSRQ  LEERLG+IEVQ
Sbjct: 5   MKTAYIAKQRHISFVKSHFSRQAALEERLGMIEVQ 39
>gi|999|gb|AAA.1| other [Mus musculus]
 Score = 45.4 bits (106), Expect = 0.001
 Identities = 30/100 (30%)
"""
hit = re.compile(r'^>gi\|(?P<gi>\d+)\|(\w+)\|([\w.]+)\|\s+(.*?)\s+\[(.+)\]$', re.M)
for m in hit.finditer(blast): print m.groups(), m.group('gi'), m.span(), m.start(2), m.groupdict(), m.lastindex, m.lastgroup, m.expand(r'\g<gi>:\2')
print re.findall(r'Score\s*=\s*([\d.]+) bits \((\d+)\), Expect = (\S+)', blast)
print [float(e) for e in re.findall('Expect = ([0-9.e-]+)', blast)]
print re.sub(r'(\w+)\|', lambda m: m.group(1).upper() + '/', 'sp|P1|x'), re.subn('a', 'b', 'banana', 2), re.sub('(?i)SCORE', 's', 'Score'), re.split(r'[\s,;]+', 'a, b;c  d'), re.split('(-)', 'a-b-c'), re.escape('a.b*c'), re.match('x*', 'aaa').group() == ''
print re.sub(r'\bquery\b', r'<\g<0>>', blast, 1)[:20] , re.sub('x*', '-', 'abc'), re.sub('', '.', 'ab'), re.findall('x*', 'axb'), re.split('x*', 'axbc')
try: re.compile('(')
except re.error, e: print 'bad', e
print re.search(r'(?P<q>Q)uery', blast).re.pattern, re.compile('a', re.I | re.X).flags, re.search('b', 'abc', re.I).string, re.compile('b').match('abc', 1) is not None, re.search(u'\xe9', u'caf\xe9') is not None, re.match(r'\w+', 'caf\xe9').group(), repr(re.match(r'(?u)\w+', u'caf\xe9').group()), repr(re.match('.', u'\u20ac').group()), re.compile(r'(\d+)(?:\s|$)').scanner is not None
print '%s|%10s|%-10s|%.2s' % ('abc', 'r', 'l', 'cut'), '%d %5d %-5d| %05d %+d %x %X %o %#x %#o' % (1, 2, 3, 4, 5, 255, 255, 8, 255, 8), '%f %.3f %8.2f %e %g %G %g' % (1.5, 2.0 / 3, 3.14159, 12345.678, 1e-5, 1e20, 100000.0), '%c%c %%' % ('a', 98), '%r %s' % ('q', u'u'), '%(a)s %(b)03d' % {'a': 'x', 'b': 7}, '%*d|%-*s|' % (5, 42, 6, 'ab'), '%s' % None, '%s %s' % ([1, 'a'], (1, u'b')), '%i%%' % 50.9, '%s' % 1e16, '%s' % 0.1, '%s' % (1 / 3.), repr(0.1), repr(1 / 3.), str(1e22), str(123456789012.5), 1e5, 1e16, 1.0, 100000000000000000.0, 1e-5, 0.0001, -1.5e-10, 2 ** 100, 1.1 * 3, 5e-324, float('1e400')
print string.join(['a', 'b']), string.split('a  b'), string.strip('  x '), string.atoi('0x1f', 16), string.atof('1.5'), string.atol('5'), string.lower('ABC'), string.capitalize('abc'), string.center('x', 5), string.expandtabs('a\tb', 4), string.rfind('abcb', 'b'), string.count('banana', 'an'), string.swapcase('aB'), string.joinfields(['x', 'y'], '-'), string.splitfields('a-b', '-'), string.zfill('-5', 4), string.letters[-3:], string.punctuation, repr(string.whitespace), string.hexdigits, string.octdigits, string.lowercase[:5], string.Template('$a ${b}').substitute(a=1, b=2), string.rsplit('a b c', ' ', 1) if hasattr(string, 'rsplit') else 0, string.index_error, string.atoi_error
print 'abc'.translate(string.maketrans('ab', 'xy')), 'hello world'.title(), 'a,b,,c'.split(','), ' a b '.split(' '), 'abc'.find('z'), 'x=1;y'.partition(';'), 'aXbXc'.rsplit('X', 1), 'line1\nline2\r\n'.splitlines(1), 'abc'.encode('hex'), '616263'.decode('hex'), 'abc'.encode('rot13'), 'x'.encode('base64'), 'tEsT'.swapcase(), '42'.zfill(5), 'abc'.startswith(('x', 'a')), 'a'.isalpha(), '1'.isdigit(), ''.isspace(), 'Ab C'.istitle(), 'abc'[::-1], 'abc' * 2, 'a' < 'b', 'abc' 'def', r'\n', u'\u00e9'.encode('utf8'), 'caf\xc3\xa9'.decode('utf8') == u'caf\xe9', len(u'\u20ac'), ord(u'\xe9'), unichr(8364).encode('utf-8'), repr(u'a\u1234\n'), u'a' + 'b', u'%s' % 'x', 'x'.join([u'a', 'b']), 'abc'.count(''), '{0} {1:>5} {name!r}'.format(1, 'x', name='n'), '%s' % u'\xe9'.encode('latin1') == '\xe9'
print 0777, 0x1F, 0b11, 1e3, 10L, 5 / 2, -5 / 2, 5 // 2., 5 % -3, divmod(-7, 2), 2 ** -1, 2 ** 10, 1 << 40, ~5, 5 & 3 | 8 ^ 1, abs(-3), pow(2, 5, 7), round(2.5), round(-0.5), round(1234.567, -2), int('12', 8), int(3.99), int(-3.99), long(5), float('1e3'), hex(255), oct(8), hex(2**40), oct(0), bin(5), cmp(1, 2), cmp('b', 'a'), max(1, 2.5, 'a'), min([3, 1, 2]), sum([1, 2.5]), coerce(1, 2.5), 1 == 1.0, 1 < 'a', None < 0, [] > (), (1, 2) < (1, 3), 3 < 4 < 5, not 1, 1 and 2, 0 or 'x', True + 1, `1L`, `True`, isinstance(True, int), type(5 / 2.), type(2 ** 62), type(2 ** 64), 7 and 0.0

# what may be empty, and what is wrong
for p, s in [('x*','axb'),('x*','axxb'),('','ab'),('a|','ab'),(r'\b','ab cd'),('(a)|b*','abbc'),('a*?','aab'),('$','a\n'),('^','a\nb'),('(?m)^','a\nb'),('[^,]*','a,b,,c'),('\d*','a12b'),('x?','xx')]:
    print p, s, re.findall(p, s), re.sub(p, '-', s), re.split(p, s), [m.span() for m in re.finditer(p, s)], re.subn(p, '<>', s)
def t(p):
    try: re.compile(p)
    except re.error, e: print p, e
for p in ['(', ')', '[', '*', 'a**', 'a{2,1}', '\\', '(?P<n>a)(?P<n>b)', '(?P<1>a)', '(?P=x)', '(?X)', 'a(?#', '[z-a]', '(?<=a*)b', '(?P<a', '+a', '(?:a', 'x{3']: t(p)

# groups that took no part
for pattern in r'(a)|b', r'(a)?b', r'(?P<n>a)|b':
    for template in r'[\1]', r'\g<1>', r'x', r'\\1':
        try:
            print re.sub(pattern, template, 'ab'), re.compile(pattern).subn(template, 'b'), re.match(pattern, 'b').expand(template)
        except re.error, e:
            print e.__class__, e, e.args
print re.sub('(a)|b', lambda m: str(m.group(1)), 'ab'), re.sub(r'(?P<n>a)(b)?', r'\g<n>\101\0', 'a') == 'aA\0'
