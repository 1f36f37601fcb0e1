#!/usr/bin/env python
"""Reads a PDB file, counts, measures, writes a table"""
import string, sys, math, re, os
from string import atoi, atof, strip, split, join, ljust, rjust, zfill, upper

PDB = """HEADER    HYDROLASE                               12-MAR-98   1ABC
ATOM      1  N   MET A   1      27.340  24.430   2.614  1.00  9.67           N
ATOM      2  CA  MET A   1      26.266  25.413   2.842  1.00 10.38           C
ATOM      3  C   MET A   1      26.913  26.639   3.531  1.00  9.62           C
ATOM      4  O   MET A   1      27.886  26.463   4.263  1.00  9.62           O
ATOM      5  N   GLN A   2      26.335  27.770   3.258  1.00  9.27           N
ATOM      6  CA  GLN A   2      26.850  29.021   3.898  1.00  9.07           C
ATOM      7  C   GLN A   2      26.100  29.253   5.202  1.00  8.72           C
ATOM      8  O   GLN A   2      24.865  29.024   5.330  1.00  8.22           O
ATOM      9  N   ILE B   3      26.849  29.656   6.217  1.00  5.87           N
ATOM     10  CA  ILE B   3      26.235  30.058   7.497  1.00  5.07           C
HETATM   11 ZN    ZN B 101      20.000  20.000  20.000  0.50 20.00          ZN
TER
END
"""

class PDBError(Exception):
    def __init__(self, line, why):
        self.line = line
        self.why = why
    def __str__(self):
        return 'bad line %r: %s' % (self.line, self.why)

class Atom:
    "one atom"
    count = 0
    def __init__(self, line):
        if len(line) < 54: raise PDBError(line, 'too short')
        self.het = line[:6] == 'HETATM'
        self.serial = atoi(strip(line[6:11]))
        self.name = strip(line[12:16]); self.res = strip(line[17:20])
        self.chain = line[21]; self.resnum = atoi(line[22:26])
        self.x, self.y, self.z = map(atof, (line[30:38], line[38:46], line[46:54]))
        self.occ, self.b = atof(line[54:60]), atof(line[60:66])
        Atom.count = Atom.count + 1
    def __repr__(self):
        return '<Atom %s %s%d>' % (self.name, self.res, self.resnum)
    def __cmp__(self, other):
        return cmp((self.chain, self.resnum, self.name), (other.chain, other.resnum, other.name))
    def __sub__(self, other):
        return math.sqrt((self.x - other.x) ** 2 + (self.y - other.y) ** 2 + (self.z - other.z) ** 2)
    def __getitem__(self, i):
        return (self.x, self.y, self.z)[i]
    def __len__(self): return 3

atoms = []
lines = split(PDB, '\n')
for l in lines:
    if l[0:4] == 'ATOM' or l[:6] == 'HETATM':
        atoms.append(Atom(l))
print 'read', len(atoms), 'atoms,', Atom.count
try:
    Atom('ATOM   1')
except PDBError, e:
    print 'Error:', e, e.why
atoms.sort()
print atoms
atoms.sort(lambda a, b: cmp(b.b, a.b) or cmp(a.serial, b.serial))
for a in atoms[:4]:
    print '%-4s %3s %s%4d %8.3f%8.3f%8.3f %6.2f' % (a.name, a.res, a.chain, a.resnum, a.x, a.y, a.z, a.b)
residues = {}
for a in atoms:
    key = (a.chain, a.resnum)
    if not residues.has_key(key): residues[key] = []
    residues[key].append(a)
print residues.keys()
keys = residues.keys(); keys.sort()
for k in keys:
    print k, len(residues[k]), join(map(lambda a: a.name, residues[k]), ',')
hist = {}
for a in atoms:
    hist[a.res] = hist.get(a.res, 0) + 1
print hist, hist.items()
names = {}
for a in atoms: names[a.name] = a.serial
print names
for n in names: print n,
print
bmean = reduce(lambda s, a: s + a.b, atoms, 0.0) / len(atoms)
print 'mean B', bmean, `bmean`, round(bmean, 2), int(bmean), 7 / 2, -7 / 2, 7 % -3
print 'centre', [reduce(lambda s, a, i=i: s + a[i], atoms, 0) / len(atoms) for i in range(3)]
d = atoms[0] - atoms[1]
print 'distance %.4f' % d, d
x, y, z = atoms[0]
print x, y, z
print zfill(12, 6), ljust('abc', 8) + '|', rjust('abc', 8), upper('zinc'), string.capwords('zinc finger protein')
seq = 'MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG'
table = string.maketrans('ACDEFGHIKLMNPQRSTVWY', 'hhcchhphphhppppphhhp')
print string.translate(seq, table)
print string.translate(seq, string.maketrans('', ''), 'LIVMF')
comp = [(string.count(seq, c), c) for c in string.uppercase if c in seq]
comp.sort(); comp.reverse()
print comp[:5]
pat = re.compile(r'(?P<a>[KR])(?=[^P])')
print pat.sub(lambda m: m.group('a').lower(), seq), len(pat.findall(seq)), [m.start() for m in pat.finditer(seq)][:4]
print re.split('[KR]', seq)[:4], re.match('^M(Q+)', seq).groups()
print string.letters[:3], string.digits, string.find(seq, 'GG'), string.index(seq, 'K'), string.replace(seq[:10], 'M', '-')
import shutil, tempfile
os.chdir(tempfile.mkdtemp())
w = open('out.txt', 'w')
print >>w, 'atoms', len(atoms),
print >>w, 'done'
w.write('%s\t%i\n' % ('x', 3)); w.close()
print open('out.txt').read(), os.path.getsize('out.txt'), open('out.txt').readlines()
for i, line in enumerate(file('out.txt')): print i, line,
shutil.rmtree(os.getcwd())
