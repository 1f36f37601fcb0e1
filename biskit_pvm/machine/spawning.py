"""Start and end tasks, on any host of the virtual machine.

What can wait for the daemon of another host is done by an agent (`biskit_pvm.machine.agent`),
so that the calling process goes on receiving messages meanwhile.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from contextlib import contextmanager

import pvm_ext
from biskit_pvm.machine import helper, names
from biskit_pvm.machine.log import Log

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

log = Log(__name__)

ON_HOST = int(pvm_ext.Spawn.HOST)

_spawn_lock = threading.Lock()


# ------------------------------------------------------------------------ the command line


def xterm() -> str:
    """Return the path of xterm, or its mere name where it is missing.

    Scripts of Python 2 have it from Biskit's configuration, `bin` in
    ~/.biskit/exe_xterm.dat, where that names one.
    """
    import shutil

    if runs_old_code():
        import configparser

        config = configparser.RawConfigParser(strict=False, allow_no_value=True, comment_prefixes=("#", ";"))
        try:
            config.read(os.path.expanduser("~/.biskit/exe_xterm.dat"), encoding="latin-1")
            configured = (config.get("BINARY", "bin", fallback="") or "").strip()
        except (configparser.Error, OSError):
            configured = ""
        if configured:
            configured = os.path.expanduser(configured)
            return shutil.which(configured) or configured
    return shutil.which("xterm") or "xterm"


def python_command(slave_script: str, niceness: int) -> list[str]:
    """Return the words by which a slave script is run.

    Where this process itself was started for old scripts (see
    `biskit_pvm.compat`), its slaves are run in the same way.
    """
    runner = os.environ.get("BISKIT_PVM_RUN")
    if runner:
        return [sys.executable, "-i", "-m", runner, slave_script, str(niceness)]
    return [sys.executable, "-i", slave_script, str(niceness)]


def of_old(command: str, argv: Sequence[str]) -> tuple[str, list[str]]:
    """Return a command and its arguments as a program of old starts them.

    Where this process itself was started through the translator, whatever is a Python is started through it, too; see
    `old_tasks`.
    """
    runner = os.environ.get("BISKIT_PVM_RUN")
    if not runner:
        return command, list(argv)
    from biskit_pvm.machine import old_tasks

    words = [old_tasks.decoded(word) for word in (command, *argv)]
    words = old_tasks.through_translator(words, runner, sys.executable, first_line)
    return words[0], words[1:]


def first_line(program: str) -> str:
    """Return the first line of the executable file that PVM finds under a name, or ''."""
    for path in [program] if os.path.isabs(program) else [os.path.join(f, program) for f in program_folders()]:
        try:
            if os.path.isfile(path) and os.access(path, os.X_OK):
                with open(path, "rb") as file:
                    return os.fsdecode(file.readline(200))
        except OSError:
            continue
    return ""


def program_folders() -> list[str]:
    """Return the folders in which a daemon looks for programs, where no host file says otherwise."""
    architecture = os.environ.get("PVM_ARCH", "LINUX64")
    roots = [os.path.join(os.path.expanduser("~"), "pvm3"), os.environ.get("PVM_ROOT", "")]
    return [os.path.join(root, "bin", architecture) for root in roots if root]


# ------------------------------------------------------------- the environment and the folder


def runs_old_code() -> bool:
    """Tell whether this process runs a script of Python 2 (see `biskit_pvm.compat`)."""
    return "BISKIT_PVM_RUN" in os.environ


def slave_variables() -> dict[str, str]:
    """Return the environment variables by which slaves run like this
    process."""
    return {name: os.environ[name] for name in ("BISKIT_PVM_RUN", "BISKIT_PVM_RUN_PATH") if name in os.environ}


def package_variables() -> dict[str, str]:
    """Return the variables by which a slave finds this very package."""
    folder = helper.package_folder()
    path = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    if folder not in path and folder not in site_folders():
        path.append(folder)
    return {"PYTHONPATH": os.pathsep.join(path)} if path else {}


@functools.cache
def site_folders() -> list[str]:
    """Return the folders that every interpreter like this one looks into."""
    import sysconfig

    return [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]


@contextmanager
def exported(variables: dict[str, str]) -> Iterator[None]:
    """Let PVM hand these environment variables to the tasks spawned
    meanwhile, besides those that the user exports."""
    exports = [n for n in os.environ.get("PVM_EXPORT", "").split(":") if n]
    exports += [name for name in variables if name not in exports]
    changed = dict(variables, PVM_EXPORT=":".join(exports))
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


# --------------------------------------------------------------------------------- the start


def spawn(
    command: str,
    argv: Sequence[str],
    flag: int,
    where: str,
    count: int,
    variables: dict[str, str],
    output_to: tuple[int, int, int] | None = None,
    timeout: float | None = None,
) -> list[int]:
    """Start tasks on any host, waiting at most `timeout` seconds.

    Same arguments and result as `spawn_here`.

    Raises
    ------
    TimeoutError
        The host does not answer.  A task that starts there after all is
        ended.
    """
    from biskit_pvm.machine import ending

    command, argv = of_old(command, argv)
    variables = {**slave_variables(), **variables}
    # How a window ends tells nothing of the slave in it.
    ends_to = 0 if os.path.basename(command) == "xterm" else ending.listen()
    # Tasks of old scripts look for their parent in PVM's table: there it has to be this process.
    if runs_old_code() or (flag & ON_HOST and names.is_own_host(where.split(":")[0])):
        return spawn_here(command, argv, flag, where, count, variables, output_to, ends_to)
    from biskit_pvm.machine import agent

    tids: list[int] = agent.pool().call(
        "spawn_here",
        command,
        list(argv),
        flag,
        where,
        count,
        variables,
        output_to,
        ends_to,
        timeout=timeout,
        too_late=_end_stragglers,
    )
    return tids


def spawn_here(
    command: str,
    argv: Sequence[str],
    flag: int,
    where: str,
    count: int,
    variables: dict[str, str],
    output_to: tuple[int, int, int] | None = None,
    ends_to: int = 0,
) -> list[int]:
    """Start tasks from this process.

    Parameters
    ----------
    command, argv, flag, where, count
        As those of `pvm_ext.spawn`.
    variables : dict
        Environment variables for the tasks.
    output_to : (tid, context, tag), optional
        Where the daemons send what the tasks print.
    ends_to : int
        Tid of the task that is told how these end (see `ending.listen`); 0 for none.

    Returns
    -------
    list of int
        A tid or a negative error code per task.
    """
    from biskit_pvm.machine import ending

    with _spawn_lock, exported(variables), _output_goes(output_to), ending.told(ends_to):
        return list(pvm_ext.spawn(command, argv, flag, where, count))


@contextmanager
def _output_goes(to: tuple[int, int, int] | None) -> Iterator[None]:
    """Have the daemons send what tasks print that are spawned meanwhile."""
    option = pvm_ext.Option
    own = option.OUTPUT_TID, option.OUTPUT_CONTEXT, option.OUTPUT_CODE
    before = [pvm_ext.getopt(name) for name in own]
    if to is not None:
        tid, context, tag = to
        if tid != pvm_ext.mytid() and pvm_ext.getopt(option.SELF_OUTPUT_TID) != tid:
            # PVM lets children print to another task only if this one does
            pvm_ext.setopt(option.SELF_OUTPUT_TID, tid)
            pvm_ext.setopt(option.SELF_OUTPUT_CODE, tag)
        for name, value in zip(own, to):
            pvm_ext.setopt(name, value)
    try:
        yield
    finally:
        if to is not None:
            pvm_ext.setopt(option.OUTPUT_TID, 0)
            if before[0]:
                for name, value in zip(own, before):
                    pvm_ext.setopt(name, value)


# ----------------------------------------------------------------------------------- the end


def end_task(tid: int, signum: int) -> None:
    """Send a signal to a task without waiting for its host."""
    if names.host_of(tid) == names.host_of(pvm_ext.mytid()):
        signal_here(tid, signum)
    else:
        from biskit_pvm.machine import agent

        agent.pool().submit("signal_here", tid, signum)


def signal_here(tid: int, signum: int) -> None:
    """Send a signal to a task from this process."""
    try:
        pvm_ext.sendsig(tid, signum)
    except pvm_ext.PvmError as error:
        log.debug("signal %d to t%x: %s", signum, tid, error)


def _end_stragglers(tids: Iterable[int]) -> None:
    for tid in tids:
        if tid > 0:
            end_task(tid, 15)


def error_line(code: int) -> str:
    """Return the name and meaning of a PVM error code as old scripts print them."""
    error = pvm_ext.error_for(code)
    return f"{'Pvm' + error.name:<15} {error.text}"


def error_text(code: int) -> str:
    """Return the name and meaning of a PVM error code."""
    error = pvm_ext.error_for(code)
    return f"{error.name}  {error.text}"
