"""
Record what Python 2.7 prints for the scripts of this folder; run it with Python 2.7 itself.

    python2.7 tests/legacy/record.py [script ...]

Each script's standard output goes to ``expected/<script>.txt``. Run it again when a script is new or has changed: the
tests compare what the scripts print today with these files, and never write them. With NumPy 1.16 for Python 2.7 the
scripts about NumPy are recorded too, otherwise they are left alone.
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
NEEDS_NUMPY = ['arrays.py', 'old_arrays.py']
ONLY_IMPORTED = ['statistics.py']


def main(names):
    if sys.version_info[:2] != (2, 7):
        sys.exit('record.py must be run by Python 2.7, the reference')
    try:
        import numpy
    except ImportError:
        numpy = None
    for path in sorted(glob.glob(os.path.join(SCRIPTS, '*.py'))):
        name = os.path.basename(path)
        if (names and name not in names) or name in ONLY_IMPORTED:
            continue
        if name in NEEDS_NUMPY and numpy is None:
            print name, 'left alone: no NumPy'
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
