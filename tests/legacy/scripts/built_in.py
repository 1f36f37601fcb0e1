# the built-in names are a module in a script
import __builtin__
print type(__builtins__), hasattr(__builtins__, "set"), hasattr(__builtins__, "nothing"), __builtins__ is __builtin__
__builtins__.mine = 5
print mine, eval("mine + 1", {}), [mine for i in range(1)], (lambda: mine)()
exec "print type(__builtins__), mine"
exec "print mine" in {}
del __builtin__.mine
try:
    mine
except NameError, e:
    print e
