"""Everyday tools, as Biskit has them."""

from __future__ import annotations

import glob
import gzip as _gzip
import os
import os.path as osp
import shutil
import socket
import sys
import tempfile
import time
import traceback
from types import ModuleType
from typing import Any

from biskit_pvm.compat.python2 import importer
from biskit_pvm.compat.python2.stdlib import pickles


class ToolsError(Exception):
    """A tool cannot do its work."""


class PickleError(ToolsError):
    """An object cannot be dumped or loaded."""


def errWriteln(s: str) -> None:
    """
    Write a line to standard error.

    Parameters
    ----------
    s : str
    """
    errWrite(s + "\n")


def errWrite(s: str) -> None:
    """
    Write to standard error, at once.

    Parameters
    ----------
    s : str
    """
    sys.stderr.write(s)
    sys.stderr.flush()


def flushPrint(s: str) -> None:
    """
    Write to standard output, at once.

    Parameters
    ----------
    s : str
    """
    sys.stdout.write(s)
    sys.stdout.flush()


def lastError() -> str:
    """
    Describe the present exception in a line.

    Returns
    -------
    str
    """
    from biskit_pvm.compat.python2.builtins.strings import to_str

    kind, error, trace = _present()
    if error is None:
        return "no error"
    line = trace.tb_lineno if trace is not None else 0
    file = trace.tb_frame.f_code.co_filename if trace is not None else "?"
    return f"{to_str(kind)} in {file} line {line}:\n\t{to_str(error.args)}."


def lastErrorTrace(limit: Any = None) -> str:
    """
    Describe where the present exception came from, a line for each call.

    Parameters
    ----------
    limit : any
        Kept for old callers.

    Returns
    -------
    str
    """
    return "".join(
        f"{stripFilename(name)}: {line} ({function}) {text}\n"
        for name, line, function, text in traceback.extract_tb(_present()[2])
    )


def _present() -> tuple:
    """The exception that is being handled, or that translated code has just handled."""
    from biskit_pvm.compat.python2.builtins.errors import exc_info

    return exc_info()


def dictAdd(dic: dict, key: Any, value: Any, forceList: Any = False) -> None:
    """
    Add a value to a dictionary; several values of a key become a list.

    Parameters
    ----------
    dic : dict
    key, value : any
    forceList : bool
        Make a list of the first value, too.
    """
    if key not in dic:
        dic[key] = [value] if forceList and not isinstance(value, list) else value
    elif not isinstance(dic[key], list):
        if dic[key] != value:
            dic[key] = [dic[key], value]
    elif value not in dic[key]:
        dic[key] = dic[key] + [value]


def absfile(filename: str, resolveLinks: Any = 1) -> str:
    """
    Give the absolute path of a file, with ``~`` and links resolved.

    Parameters
    ----------
    filename : str
    resolveLinks : bool

    Returns
    -------
    str

    Raises
    ------
    ToolsError
        There is no such home folder.
    """
    if not filename:
        return filename
    path = osp.abspath(osp.expanduser(filename))
    if "~" in path and filename.startswith("~"):
        raise ToolsError(f"Could not expand user home in {filename}")
    return osp.normpath(osp.realpath(path) if resolveLinks else path)


def stripSuffix(filename: str) -> str:
    """
    Take the ending off a file name.

    Parameters
    ----------
    filename : str

    Returns
    -------
    str
    """
    return filename.rpartition(".")[0] if "." in filename else filename


def stripFilename(filename: str) -> str:
    """
    Give a file's name without folder and ending.

    Parameters
    ----------
    filename : str

    Returns
    -------
    str
    """
    return stripSuffix(osp.basename(filename))


def tempDir() -> str:
    """
    Give the folder for temporary files.

    Returns
    -------
    str
    """
    return tempfile.gettempdir()


def file2dic(filename: str) -> dict[str, Any]:
    """
    Read a file with a key and its values in each line.

    Parameters
    ----------
    filename : str

    Returns
    -------
    dict
        A str for one value, a list for several.
    """
    found: dict[str, Any] = {}
    with open(filename, encoding="latin-1") as file:
        for line in file:
            words = line.partition("#")[0].split()
            if words:
                found[words[0]] = "" if len(words) == 1 else words[1] if len(words) == 2 else words[1:]
    return found


def get_cmdDict(lst_cmd: list[str], dic_default: dict[str, Any]) -> dict[str, Any]:
    """
    Read command line options.

    Parameters
    ----------
    lst_cmd : list of str
        ``['-o', 'out', '-in', '1', '2', '-d']``.
    dic_default : dict
        Options that are not given; ``-x file`` reads more from a file.

    Returns
    -------
    dict
        ``{'o': 'out', 'in': ['1', '2'], 'd': ''}``, with the defaults.
    """
    given: dict[str, Any] = {}
    option = None
    values: list[str] = []
    for word in lst_cmd:
        if word.startswith("-"):
            option, values = word[1:], []
            given[option] = ""
        elif option is None:
            errWriteln(f"Can't resolve command line options.\n \tError:{word!r} belongs to no option")
        else:
            values.append(word)
            given[option] = values[0] if len(values) == 1 else list(values)
    if "x" in given:
        try:
            given = {**file2dic(given["x"]), **given}
        except OSError:
            errWriteln(f"Error opening {given['x']}.")
    dic_default.update(given)
    return dic_default


def cmdDict(defaultDic: dict[str, Any] | None = None) -> dict[str, Any]:
    """
    Read the options of this process; see `get_cmdDict`.

    Parameters
    ----------
    defaultDic : dict, optional

    Returns
    -------
    dict
    """
    return get_cmdDict(sys.argv[1:], {} if defaultDic is None else defaultDic)


def dump(this: Any, filename: str, gzip: Any = 0, mode: str = "w") -> None:
    """
    Pickle an object into a file.

    Parameters
    ----------
    this : any
    filename : str
    gzip : bool
        Compress it.
    mode : {'w', 'a'}

    Raises
    ------
    PickleError
        For any other mode.
    """
    if mode not in ("w", "a"):
        raise PickleError("mode has to be 'w' (write) or 'a' (append)")
    path = osp.expanduser(filename)
    with _gzip.open(path, mode + "b") if gzip else open(path, mode + "b") as file:
        pickles.dump(this, file, 1)


def load(filename: str, gzip: Any = 0) -> Any:
    """
    Load what was dumped, by this Python or by Python 2.

    A pickle can run any program: load only files that you or your programs have written.

    Parameters
    ----------
    filename : str
    gzip : bool

    Returns
    -------
    any
        A tuple where the file holds several objects.

    Raises
    ------
    PickleError
        The file is damaged.
    """
    path = osp.expanduser(filename)
    objects = []
    with _gzip.open(path, "rb") if gzip else open(path, "rb") as file:
        while True:
            try:
                objects.append(pickles.load(file))
            except EOFError:
                break
            except ValueError as error:
                raise PickleError(f"Python pickle {filename} is corrupted.") from error
    return objects[0] if len(objects) == 1 else tuple(objects)


Dump, Load = dump, load


def projectRoot() -> str:
    """
    Give the folder in which the package ``Biskit`` lies.

    Returns
    -------
    str
        Where `biskit_pvm` is installed.
    """
    import biskit_pvm

    return osp.dirname(osp.dirname(osp.abspath(biskit_pvm.__file__)))


def dataRoot() -> str:
    """
    Give the folder with Biskit's data.

    Returns
    -------
    str
        One that need not exist.
    """
    return osp.join(projectRoot(), "Biskit", "data")


def testRoot(subfolder: str = "") -> str:
    """
    Give the folder with Biskit's test data.

    Parameters
    ----------
    subfolder : str

    Returns
    -------
    str
        One that need not exist.
    """
    return osp.join(projectRoot(), "Biskit", "testdata", subfolder)


def isBinary(f: str) -> bool:
    """
    Tell whether a file can be run.

    Parameters
    ----------
    f : str

    Returns
    -------
    bool
    """
    return osp.isfile(f) and os.access(f, os.X_OK)


def absbinary(f: str) -> str:
    """
    Give the path of a program.

    Parameters
    ----------
    f : str

    Returns
    -------
    str

    Raises
    ------
    IOError
        There is no such program.
    """
    found = shutil.which(f)
    if found is None:
        raise OSError(f"binary {f} not found.")
    return found


def hostname() -> str:
    """
    Give this host's name.

    Returns
    -------
    str
    """
    return socket.gethostname()


def osName() -> str:
    """
    Give the operating system's name.

    Returns
    -------
    str
    """
    return os.uname()[0]


def toList(o: Any) -> list[Any]:
    """
    Make a list of anything that is none.

    Parameters
    ----------
    o : any

    Returns
    -------
    list
    """
    return o if isinstance(o, list) else [o]


def toInt(o: Any, default: Any = None) -> Any:
    """
    Make an integer of something, if possible.

    Parameters
    ----------
    o : any
    default : any

    Returns
    -------
    int or any
    """
    try:
        return int(o)
    except (TypeError, ValueError):
        return default


def toIntList(o: Any) -> list[int]:
    """
    Make a list of integers of a value or a list.

    Parameters
    ----------
    o : any

    Returns
    -------
    list of int
    """
    return [int(value) for value in toList(o)]


def toStr(o: Any) -> Any:
    """
    Make a string of an integer or a list.

    Parameters
    ----------
    o : any

    Returns
    -------
    str
    """
    if isinstance(o, list):
        return "".join(str(item).strip() for item in o)
    return str(o) if isinstance(o, int) else o


def dateString() -> str:
    """
    Give today's date as DD/MM/YYYY.

    Returns
    -------
    str
    """
    return time.strftime("%d/%m/%Y")


def dateSortString() -> str:
    """
    Give the present time as YYYY/MM/DD:hh.mm.ss.

    Returns
    -------
    str
    """
    now = time.localtime()
    return f"{now[0]}/{now[1]:02}/{now[2]:02}:{now[3]:02}.{now[4]:02}.{now[5]:02}"


def tryRemove(f: str, verbose: Any = 0, tree: Any = 0, wildcard: Any = 0) -> int:
    """
    Remove a file or folder, if possible.

    Parameters
    ----------
    f : str
    verbose : bool
        Report failure.
    tree : bool
        Remove a folder, with what is in it.
    wildcard : bool
        `f` is a pattern.

    Returns
    -------
    {1, 0}
        1 where it was removed.
    """
    try:
        if osp.isdir(f):
            if tree:
                shutil.rmtree(f, ignore_errors=True)
            else:
                errWriteln(f"{f!r} is directory - not removed.")
        else:
            for each in glob.glob(f) if wildcard else [f]:
                os.remove(each)
        return 1
    except (OSError, TypeError):
        if verbose:
            errWriteln(f"Warning: Cannot remove {f!r}.")
        return 0


def backup(fname: str, suffix: str = "~") -> bool:
    """
    Rename a file that is already there.

    Parameters
    ----------
    fname, suffix : str

    Returns
    -------
    bool
        True where there was one.
    """
    fname = absfile(fname)
    if not osp.exists(fname):
        return False
    os.rename(fname, fname + suffix)
    return True


def clipStr(s: str, length: int, suffix: str = "..", expandtabs: Any = 1) -> str:
    """
    Shorten a string at its end.

    Parameters
    ----------
    s : str
    length : int
    suffix : str
        Put in place of what is left out.
    expandtabs : bool

    Returns
    -------
    str
    """
    s = s.expandtabs() if expandtabs else s
    return s if len(s) <= length else s[: length - len(suffix)] + suffix


def ensure(v: Any, t: Any, allowed: Any = (), forbidden: Any = ()) -> None:
    """
    Check the type of a value.

    Parameters
    ----------
    v : any
    t : type
    allowed, forbidden : list
        Values that are right, or wrong, whatever their type.

    Raises
    ------
    TypeError
    """
    if v in toList(list(allowed) if isinstance(allowed, tuple) else allowed):
        return
    if not isinstance(v, t):
        raise TypeError(f"looked for {t} but found {str(v)[:20]}")
    if v in forbidden:
        raise TypeError(f"value {str(v)[:20]} is not allowed.")


class PseudoClass:
    """Stands for a class that cannot be imported, and says so when it is used."""

    error: Any = None

    def __new__(cls, *args: Any, **kw: Any) -> Any:
        raise ImportError(f"Class {cls.__name__!r} is not available because of missing modules: {str(cls.error)!r}")


def tryImport(module: str, cls: str, old_as: str | None = None, namespace: dict | None = None) -> bool:
    """
    Import a class, or put one in its place that raises when it is used.

    Parameters
    ----------
    module, cls : str
    old_as : str, optional
        The name it gets.
    namespace : dict, optional
        Where; that of the caller by default.

    Returns
    -------
    bool
        False where the class cannot be imported.
    """
    names = sys._getframe(1).f_globals if namespace is None else namespace
    try:
        names[old_as or cls] = getattr(_imported(module, names, cls), cls)
        return True
    except (ImportError, AttributeError) as error:
        names[old_as or cls] = type(cls, (PseudoClass,), {"error": error})
        return False


def tryImportModule(module: str, old_as: str | None = None, namespace: dict | None = None) -> bool:
    """
    Import a module, or put an empty one in its place.

    Parameters
    ----------
    module : str
    old_as : str, optional
        The name it gets.
    namespace : dict, optional
        Where; that of the caller by default.

    Returns
    -------
    bool
        False where the module cannot be imported.
    """
    names = sys._getframe(1).f_globals if namespace is None else namespace
    try:
        names[old_as or module] = _imported(module, names, "*")
        return True
    except ImportError as error:
        substitute = names[old_as or module] = ModuleType(old_as or module, "Pseudo module. Import failed.")
        substitute.error = str(error)
        return False


def _imported(module: str, names: dict, part: str) -> ModuleType:
    from biskit_pvm.compat.python2.builtins.imports import import_

    return import_(module, names, None, [part])


def gzopen(fname: str, mode: str = "r") -> Any:
    """
    Open a file, compressed where its name ends in gz.

    Parameters
    ----------
    fname, mode : str

    Returns
    -------
    file
    """
    from biskit_pvm.compat.python2.builtins.files import File
    from biskit_pvm.compat.python2.stdlib.binary import GzipFile

    fname = absfile(fname)
    return GzipFile(fname, mode) if fname.endswith("gz") else File(fname, mode)
