"""Raising and catching."""
import sys
import traceback


class Classic:
    def __init__(self, text=''):
        self.text = text

    def __str__(self):
        return 'classic ' + self.text


class Child(Classic):
    pass


class Mine(Exception):
    pass


class Std(StandardError):
    pass


for kind in (Classic, Child):
    try:
        raise kind, 'argument'
    except Classic, e:
        print 'caught', e, e.__class__.__name__, isinstance(e, Classic)
try:
    try:
        raise Child('x')
    except Mine:
        print 'wrong'
    except Exception:
        print 'wrong too'
except Classic, e:
    print 'outer', e
try:
    raise Mine, ('a', 2)
except Mine, (first, second):
    print first, second
try:
    raise Mine('only')
except Mine, e:
    print e, e.args, e.message, e[0], repr(e), str(e)
try:
    raise Mine
except (ValueError, Mine), e:
    print repr(e), repr(e.message), str(e) == ''
print e.__class__.__name__, 'is still bound'
try:
    raise 'a string'
except TypeError, e:
    print 'strings cannot be raised'
try:
    raise ValueError, 'kept'
except StandardError, e:
    print 'StandardError', e
try:
    raise Std('s')
except StandardError, e:
    print e.__class__.__name__
print issubclass(ValueError, StandardError), issubclass(KeyboardInterrupt, StandardError), isinstance(e, StandardError)


def fails():
    raise KeyError('deep')


try:
    fails()
except:
    kind, value, tb = sys.exc_info()
    print kind, value, tb is not None, sys.exc_type, sys.exc_value
    print traceback.extract_tb(tb)[-1][2], len(traceback.extract_tb(tb))


def rethrow():
    try:
        fails()
    except KeyError, e:
        raise ValueError, 'second', sys.exc_info()[2]


try:
    rethrow()
except ValueError, e:
    print e, [entry[2] for entry in traceback.extract_tb(sys.exc_info()[2])]


def again():
    try:
        fails()
    except KeyError:
        pass
    print sys.exc_info()[0]
    raise


try:
    again()
except KeyError, e:
    print 'again', e


class Holder:
    pass


h = Holder()
d = {}
try:
    1 / 0
except ZeroDivisionError, h.error:
    print h.error
try:
    1 / 0
except ZeroDivisionError, d['error']:
    print d['error']
try:
    assert 1 == 2, 'message'
except AssertionError, e:
    print e
try:
    int('x')
except ValueError, e:
    print e
try:
    {}['missing']
except KeyError, e:
    print e, str(e), e.args
try:
    [].nothing
except AttributeError, e:
    print e
try:
    undefined
except NameError, e:
    print e
try:
    import no_such_module
except ImportError, e:
    print e
try:
    raise IOError(2, 'text', 'file')
except EnvironmentError, e:
    print e, e.errno, e.strerror, e.filename, e.args
try:
    try:
        raise ValueError('inner')
    finally:
        print 'finally'
except ValueError, e:
    print e


def loop():
    for i in range(3):
        try:
            continue
        finally:
            print 'f', i,
    print


loop()
try:
    exec 'x ='
except SyntaxError:
    print 'syntax'
import exceptions
print exceptions.IOError is IOError, exceptions.StandardError is StandardError
for bad in ("int('1_0')", "chr(300)", "ord('ab')", "u'a'.nothing", "''.join([1])", "'%d' % 'x'", "len(3)"):
    try:
        eval(bad)
    except StandardError, e:
        print e.__class__.__name__,
print


# exceptions can be indexed wherever they are
import sys
from sys import exc_info
e = ValueError('a', 'b')
print e[0], e[1:], len(e[0:2])
def first(e):
    return e[0]
try:
    raise IOError(2, 'no such file')
except:
    kind, value, trace = sys.exc_info()
    other = exc_info()[1]
    same = value
    print value[0], other[1], same[0], sys.exc_info()[1][1], sys.exc_value[0], first(value), first([5]), first({0: 6})
