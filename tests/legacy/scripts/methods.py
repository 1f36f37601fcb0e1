# Methods taken from a class, which were a type of their own.
import inspect
import types


class C:
    def m(self): return 'm of ' + self.__class__.__name__
    def other(self): pass
    size = 3


class D(object):
    def m(self): pass
    @classmethod
    def c(cls): pass
    @staticmethod
    def s(): pass
    f = len


class E(D): pass


def make():
    class Inner:
        def m(self): pass
    return Inner


def function(): pass


class Holder:
    taken = function


print type(C.m), type(D.m), type(E.m), type(C().m), type(D.c), type(D.s), type(function), type(make().m)
print type(C.m) is types.MethodType, type(C.m) == types.UnboundMethodType, type(C.m) == type(C().m), type(D.s) is types.FunctionType
print isinstance(C.m, types.MethodType), isinstance(D.s, types.MethodType), isinstance(D.s, types.FunctionType)
print C.m.im_self, C.m.im_class, D.m.im_class, make().m.im_class, C.m.im_func.__name__, C.m.__name__, C.m(C()), map(C.m, [C()])
print C.m, [D.m], repr(C.m), str(D.m), make().m
print [name for name, value in inspect.getmembers(D, inspect.ismethod)], inspect.isfunction(function), inspect.ismethod(function)
print [name for name in dir(C) if type(getattr(C, name)) is types.MethodType]
print C.m == C.m, C.m == C.other, hash(C.m) == hash(C.m), callable(C.m)


class Logged(type):
    def __new__(cls, name, bases, namespace):
        for key, value in namespace.items():
            if type(value) is types.FunctionType:
                namespace[key] = lambda self, value=value: 'logged ' + value(self)
        return type.__new__(cls, name, bases, namespace)


class L(object):
    __metaclass__ = Logged
    def m(self): return 'm'


print L().m()
