"""Options, and the output of tasks, through pypvm."""

import sys

import pypvm
import pytest

from ..support.waiting import wait_for

ECHO = ["/bin/sh", ["-c", "echo hello; echo world"]]
OPTION = pypvm.opt


@pytest.fixture(autouse=True)
def enrolled(session_vm):
    yield
    while pypvm.nrecv():
        pass


# -- options


@pytest.mark.parametrize(
    "name, value",
    [("Route", 2), ("FragSize", 4080), ("ShowTids", 1), ("ResvTids", 0), ("AutoErr", 0), ("OutputTid", 0)],
)
def test_defaults_of_options(vm, name, value):
    assert vm.python(f"import pypvm as p; print(p.getopt(p.opt[{name!r}]))") == f"{value}\n"


def test_options_are_set_and_give_the_value_before():
    before = pypvm.getopt(OPTION["FragSize"])
    assert pypvm.setopt(OPTION["FragSize"], 10000) == before
    assert pypvm.setopt(what=OPTION["FragSize"], val=20000) == 10000
    assert pypvm.setopt(OPTION["FragSize"], value=before) == 20000
    for bad in (51, 2**20 + 1, -1):
        with pytest.raises(pypvm.BadParamException):
            pypvm.setopt(OPTION["FragSize"], bad)
    with pytest.raises(pypvm.BadParamException):
        pypvm.setopt(OPTION["OutputTid"], -1)
    for call in (lambda: pypvm.getopt(999), lambda: pypvm.setopt(999, 1), lambda: pypvm.getopt(OPTION["PollType"])):
        with pytest.raises(pypvm.BadParamException):
            call()
    with pytest.raises(pypvm.NotImplException):
        pypvm.setopt(OPTION["PollType"], 1)


def test_reserved_tags_are_an_option():
    pypvm.initsend()
    assert pypvm.setopt(pypvm.PvmResvTids, 1) == 0
    try:
        pypvm.send(pypvm.mytid(), -5)
        # a negative code is a value here and no error
        assert pypvm.setopt(pypvm.PvmResvTids, -7) == 1
        assert pypvm.setopt(pypvm.PvmResvTids, 1) in (-7, 1)
    finally:
        pypvm.setopt(pypvm.PvmResvTids, 0)


def test_trace_masks():
    before = pypvm.gettmask(pypvm.PvmTaskChild)
    assert len(before) == 35
    pypvm.settmask(pypvm.PvmTaskChild, "C" + before[1:])
    assert pypvm.gettmask(pypvm.PvmTaskChild)[0] == "C"
    pypvm.settmask(pypvm.PvmTaskChild, before)


# -- output of tasks: in programs of their own, since leaving PVM belongs to it

COLLECT = """
import gc, io, os, sys, tempfile, time, pypvm as p
def spawn(*words):
    tid, = p.spawn('/bin/sh', ['-c', *words], 0, '', 1)
    return tid
"""


@pytest.mark.parametrize(
    "file",
    [
        "io.StringIO()", "io.BytesIO()", "tempfile.TemporaryFile('w+')", "tempfile.TemporaryFile('wb+')",
        "tempfile.TemporaryFile('wb+', buffering=0)", "tempfile.TemporaryFile('w+', encoding='latin1')",
    ],
)  # fmt: skip
def test_output_goes_to_any_file(vm, file):
    code = f"""{COLLECT}
f = {file}
p.catchout(f)
tid = spawn('echo hello; echo world >&2')
p.exit()
f.seek(0)
text = f.read()
text = text.decode() if isinstance(text, bytes) else text
mark = '[t%x] ' % tid
assert text == mark + 'BEGIN\\n' + mark + 'hello\\n' + mark + 'world\\n' + mark + 'EOF\\n', text
"""
    vm.python(code)


def test_output_goes_to_anything_with_write(vm):
    code = f"""{COLLECT}
class Pieces(list):
    write = list.append
pieces = Pieces()
p.catchout(file=pieces)
spawn('echo hello')
p.exit()
assert 'hello' in ''.join(pieces), pieces
"""
    vm.python(code)


def test_the_file_is_kept_alive(vm, tmp_path):
    code = f"""{COLLECT}
p.catchout(open({str(tmp_path / "out")!r}, 'w'))
gc.collect()
spawn('echo hello')
p.exit()
p.catchout(None)
gc.collect()
"""
    vm.python(code)
    assert "hello\n" in (tmp_path / "out").read_text()


def test_output_and_own_words_keep_their_order(vm):
    code = f"""{COLLECT}
p.catchout(sys.stdout)
p.setopt(p.opt['ShowTids'], 0)
print('before')
spawn('echo during')
p.exit()
print('after')
"""
    assert vm.python(code) == "before\nduring\nafter\n"


def test_output_arrives_while_the_program_receives(vm):
    code = f"""{COLLECT}
f = io.StringIO()
p.catchout(ff=f)
tid = spawn('echo hello; exec sleep 60')
end = time.monotonic() + 20
while 'hello' not in f.getvalue():
    assert time.monotonic() < end and p.trecv(0.1) == 0
p.kill(tid)
p.exit()
"""
    vm.python(code)


def test_collected_output_is_no_message_to_the_program(vm):
    code = f"""{COLLECT}
p.catchout(io.StringIO())
for _ in range(5):
    spawn('echo hello')
assert p.trecv(0.5) == 0
p.exit()
"""
    vm.python(code)


def test_collection_ends_for_later_tasks(vm):
    code = f"""{COLLECT}
f = io.StringIO()
p.catchout(f)
spawn('echo first')
p.catchout()
spawn('echo second')
p.exit()
assert 'first' in f.getvalue() and 'second' not in f.getvalue()
"""
    vm.python(code)
    wait_for(lambda: "second" in vm.log())


def test_output_of_grandchildren_is_collected_too(vm):
    grandchild = "import pypvm as p; p.spawn('/bin/echo', ['from below']); p.exit()"
    code = f"""{COLLECT}
f = io.StringIO()
p.catchout(f)
p.spawn(sys.executable, ['-c', {grandchild!r}])
p.exit()
assert 'from below' in f.getvalue()
"""
    vm.python(code)


def test_long_output_arrives_whole(vm):
    code = f"""{COLLECT}
f = io.StringIO()
p.catchout(f)
p.setopt(p.PvmShowTids, 0)
spawn('seq 1 20000')
p.exit()
assert f.getvalue().split() == [str(n) for n in range(1, 20001)]
"""
    vm.python(code)


def test_characters_cut_by_the_transport_are_joined(vm):
    code = f"""{COLLECT}
f = io.StringIO()
p.catchout(f)
p.setopt(p.PvmShowTids, 0)
spawn("printf '\\\\342'; sleep 0.2; printf '\\\\202\\\\254\\\\n\\\\377\\\\n'")
p.exit()
assert f.getvalue() == '\\u20ac\\n\\udcff\\n', ascii(f.getvalue())
"""
    vm.python(code)


def test_a_failing_file_does_not_break_the_program(vm):
    code = f"""{COLLECT}
f = io.StringIO()
p.catchout(f)
f.close()
tid = spawn('echo hello')
p.exit()
assert p.mytid() > 0
print('alive')
p.exit()
"""
    done = vm.run([sys.executable, "-c", code])
    assert done.stdout == "alive\n"
    assert "ValueError" in done.stderr


def test_a_file_that_uses_pvm_itself_is_kept_from_doing_harm(vm):
    code = f"""{COLLECT}
class File:
    text = ''
    def write(self, text):
        self.text += text
        p.tasks()
f = File()
p.catchout(f)
spawn('echo hello')
p.exit()
print('hello' in f.text, 'EOF' in f.text)
"""
    done = vm.run([sys.executable, "-c", code])
    assert done.stdout == "True True\n"
    assert "NotImpl" in done.stderr


def test_ctrl_c_is_not_lost_in_a_file(vm):
    code = f"""{COLLECT}
import signal
class File(io.StringIO):
    def write(self, text):
        super().write(text)
        if 'hello' in text: signal.raise_signal(signal.SIGINT)
f = File()
p.catchout(f)
try:
    spawn('echo hello; exec sleep 60')  # on a busy machine it may say so before the daemon has answered
    p.recv()
except KeyboardInterrupt:
    print('interrupted')
for tid, *_ in p.tasks():
    if tid != p.mytid(): p.kill(tid)
p.exit()
"""
    assert vm.python(code) == "interrupted\n"


def test_a_new_enrolment_collects_nothing_by_itself(vm):
    code = f"""{COLLECT}
f = io.StringIO()
p.catchout(f)
p.exit()
spawn('echo silent')
p.exit()
assert f.getvalue() == ''
"""
    vm.python(code)


def test_codes_of_collection_are_no_errors(vm):
    code = f"""{COLLECT}
p.catchout(io.StringIO())
p.getopt(p.opt['OutputCode']), p.getopt(p.opt['OutputTid'])
assert p.setopt(p.opt['OutputCode'], p.getopt(p.opt['OutputCode'])) is not None
"""
    vm.python(code)


@pytest.mark.parametrize("wrong", [3, "name", object(), b"x"])
def test_other_objects_are_refused(wrong):
    with pytest.raises(TypeError):
        pypvm.catchout(wrong)
