"""Old source to code: every line keeps its number, and every helper that is written exists."""

from __future__ import annotations

import ast

import pytest

from biskit_pvm.compat.python2.builtins import NAMESPACE
from biskit_pvm.compat.python2.translate import CannotTranslate, translate
from biskit_pvm.compat.python2.translate.meaning import convert
from biskit_pvm.compat.python2.translate.names import CALLS, HELPERS, LOADS, call_helper
from biskit_pvm.compat.python2.translate.syntax import decode, respell

pytest.importorskip("fissix", reason="the extra 'legacy' is not installed")

SOURCE = b'''\
# comment
def f(a, (b, c),
      d=`1`):
    """text
    of several lines"""
    print >>None, a, \\
        b
    try:
        raise ValueError, \\
            'x'
    except (ValueError,
            TypeError), (e,
                         g):
        exec 'pass' in {
            }
    return [x for x in 1,
            2], 0777L <> 3

class A: pass
'''


def test_helpers_are_there():
    assert {name for name in HELPERS if name not in NAMESPACE} == set()
    assert {name for name in CALLS if call_helper(name) not in NAMESPACE} == set()
    assert CALLS <= LOADS


def test_every_line_keeps_its_number():
    text, encoding = decode(SOURCE, "f.py")
    syntax = respell(text, encoding, "f.py")
    assert syntax.text.count("\n") == text.count("\n")
    tree = convert(ast.parse(syntax.text), syntax, "f.py")
    lines = {node.lineno for node in ast.walk(tree) if hasattr(node, "lineno")}
    assert max(lines) == text.count("\n")
    places = {node.name: node.lineno for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assert places == {"f": 2, "A": 19}
    translate(SOURCE, "f.py")


def test_names_of_the_script_are_not_touched():
    namespace = {"__builtins__": NAMESPACE}
    exec(translate(b"def map(x):\n    return 'mine', x\nresult = map(7 / 2)\nkeys = dict.keys\n", "f.py"), namespace)
    assert namespace["result"] == ("mine", 3)
    assert namespace["keys"]({1: 2}) == [1]
    assert set(namespace) == {"__builtins__", "map", "result", "keys"}


@pytest.mark.parametrize(
    "source, line",
    [
        (b"x = [y for a in b for c in [y for y in a]]\nprint y\n", 1),
        (b"class A:\n    x = set(1 < f() < 3 for f in [])\n", 2),
        (b"\nx = \xe9\n", 2),
        (b"x = (1\n", 2),
    ],
)
def test_refusals_name_the_line(source, line):
    with pytest.raises(CannotTranslate) as error:
        translate(source, "f.py")
    assert (error.value.filename, error.value.lineno) == ("f.py", line)
