# Random numbers as a script draws them: a genetic algorithm and a Monte Carlo walk.
import random, math, string
random.seed(42)
print [random.random() for i in range(3)], random.randint(1, 100), random.choice('ACGT'), random.uniform(1, 2), random.gauss(0, 1), random.normalvariate(1, 2), random.expovariate(1.5), random.betavariate(1, 2), random.sample(range(100), 5), random.randrange(0, 100, 7), random.getrandbits(16), random.lognormvariate(0, 1), random.vonmisesvariate(0, 4), random.paretovariate(3), random.triangular(0, 1, 0.5), random.gammavariate(2, 1), random.weibullvariate(1, 2)
l = range(10); random.shuffle(l); print l
random.seed('protein'); print random.random(), random.choice([1, 2, 3]); random.seed(1.5); print random.random(); random.seed((1, 'a')); print random.random(); random.seed(10L ** 30); print random.random()
st = random.getstate(); a = random.random(); random.setstate(st); print a == random.random()
r = random.Random(7); print r.random(), r.choice('xyz'); r.jumpahead(3); print r.random()
class Individual:
    genes = 'ACDEFGHIKLMNPQRSTVWY'
    def __init__(self, seq=None, n=12):
        self.seq = seq or string.join([random.choice(self.genes) for i in xrange(n)], '')
        self.fit = None
    def fitness(self, target):
        self.fit = sum([a == b for a, b in zip(self.seq, target)]) + 0.001 * (ord(self.seq[0]) % 7)
        return self.fit
    def mutate(self, rate=.2):
        s = list(self.seq)
        for i in range(len(s)):
            if random.random() < rate: s[i] = random.choice(self.genes)
        return Individual(''.join(s))
    def cross(self, other):
        p = random.randrange(1, len(self.seq)); return Individual(self.seq[:p] + other.seq[p:])
    def __cmp__(self, other): return -cmp(self.fit, other.fit) or cmp(self.seq, other.seq)
    def __repr__(self): return '%s:%.3f' % (self.seq, self.fit)
random.seed(2008)
target = 'MKTAYIAKQRQI'; pop = [Individual() for i in range(20)]
for g in range(15):
    for p in pop: p.fitness(target)
    pop.sort()
    if g % 5 == 0: print 'generation %2d best %s mean %.4f' % (g, pop[0], sum([p.fit for p in pop]) / len(pop))
    elite = pop[:6]; pop = elite + [random.choice(elite).cross(random.choice(elite)).mutate() for i in range(14)]
for p in pop: p.fitness(target)
pop.sort(); print pop[0], pop[-1], {}.fromkeys([p.seq for p in pop]).keys()[:3]
def metropolis(n, beta):
    x, acc, tot = 0., 0, 0.
    for i in xrange(n):
        y = x + random.uniform(-1, 1); dE = y * y - x * x
        if dE <= 0 or random.random() < math.exp(-beta * dE): x = y; acc = acc + 1
        tot += x * x
    return acc, tot / n
print metropolis(2000, 1.), math.floor(-2.5), math.ceil(2.1), math.fmod(-7, 3), math.hypot(3, 4), math.modf(2.5), math.frexp(8), math.ldexp(1, 3), math.degrees(math.pi), math.log(8, 2), math.log10(1000), math.atan2(1, -1), math.pi, math.e
