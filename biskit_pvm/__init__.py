"""Calculations spread over the hosts of a Parallel Virtual Machine.

>>> from biskit_pvm import TrackingJobMaster, JobSlave      # doctest: +SKIP
"""

from __future__ import annotations

from pvm_ext import available as pvm_installed
from pvm_ext.errors import PvmError

from biskit_pvm import ExampleMaster, PVMThread, Status, TrackingJobMaster, \
    dispatcher, hosts, pvm
from biskit_pvm.errors import CalculationError, JobError, RestartError
from biskit_pvm.runtime.restartfile import load as load_restart

# classes that share the names of their modules hide these, as they always did
from biskit_pvm.dispatcher import JobMaster, JobSlave
from biskit_pvm.PVMThread import PVMMasterSlave
from biskit_pvm.Status import Status
from biskit_pvm.TrackingJobMaster import TrackingJobMaster, restart
from biskit_pvm.PVMThread import PVMThread

__version__ = '3.0.0'

__all__ = [
    'CalculationError', 'ExampleMaster', 'JobError', 'JobMaster', 'JobSlave',
    'PVMMasterSlave', 'PVMThread', 'PvmError', 'RestartError', 'Status',
    'TrackingJobMaster', 'dispatcher', 'hosts', 'load_restart', 'pvm',
    'pvm_installed', 'restart']
