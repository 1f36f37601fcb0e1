"""Says what it was given."""
import os, sys, time
from Biskit.PVM import JobSlave
class S( JobSlave ):
    def initialize( self, p ):
        self.params = p
        self.n = 0
    def go( self, d ):
        self.n += 1
        r = {}
        for k, v in d.items():
            r[k] = (self.params, v, self.n, len(d), self.isAlive(), self.getTID() > 0, self.getParent() > 0)
        return r
if __name__ == '__main__':
    if len( sys.argv ) == 2: os.nice( int( sys.argv[1] ) )
    s = S(); s.start()
