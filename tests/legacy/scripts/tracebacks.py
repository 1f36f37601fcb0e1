# tracebacks as texts
import StringIO
import sys
import traceback


class Mine(Exception):
    pass


class Old:
    def __str__(self):
        return 'old one'


def show(text):
    print str(text).replace(__file__, 'SCRIPT')


def fails(error):
    raise error


def stack():
    return traceback.extract_stack()[-1][2], len(traceback.format_stack()), traceback.extract_stack(None, 1)


Mine.__module__ = 'elsewhere'
for e in Mine('a', 1), ValueError(u'caf\xe9'), Old(), KeyError('k'), Mine(), IOError(2, 'no', 'file'):
    try:
        fails(e)
    except:
        kind, value, tb = sys.exc_info()
        show(traceback.format_exc())
        show(traceback.format_exception_only(kind, value))
        show(traceback.format_tb(tb))
        show(traceback.extract_tb(tb, 1))
        f = StringIO.StringIO()
        traceback.print_exc(file=f)
        traceback.print_tb(tb, None, f)
        traceback.print_exception(kind, value, tb, 1, f)
        show(f.getvalue())
show(stack())
try:
    eval('1 +* 2')
except SyntaxError:
    show(traceback.format_exc().splitlines()[-1])
show(traceback.format_list([('f.py', 3, 'fn', 'x = 1'), ('g.py', 4, '<module>', None)]))


# a list comprehension is no step of its own
def divide(x): return 1 / x
def in_list(l): return [divide(x) for x in l]
def in_lists(l): return dict([(x, [divide(y) for y in l]) for x in l])
for function in in_list, in_lists, lambda l: list(divide(x) for x in l):
    try:
        function([1, 0])
    except ZeroDivisionError:
        show([entry[2:] for entry in traceback.extract_tb(sys.exc_info()[2])])
        show(traceback.format_exc())
show([traceback.extract_stack()[-1][2] for i in (1, 2)])
