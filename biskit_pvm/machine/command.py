"""The command line of a slave: an older name for a part of `biskit_pvm.machine.spawning`."""

from biskit_pvm.machine.spawning import python_command as python_command
from biskit_pvm.machine.spawning import slave_variables as slave_variables
from biskit_pvm.machine.spawning import xterm as xterm
