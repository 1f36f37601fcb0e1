"""Classes of which objects are pickled."""


class Old:
    def __init__(self, x):
        self.x = x


class New(object):
    def __init__(self, x):
        self.x = x


class WithState:
    def __init__(self, x):
        self.x = x

    def __getstate__(self):
        return {'kept': self.x}

    def __setstate__(self, state):
        self.x = ('again', state['kept'])


class WithArguments:
    def __init__(self, x):
        self.x = x

    def __getinitargs__(self):
        return (self.x,)


class Slotted(object):
    __slots__ = ['x']

    def __init__(self, x):
        self.x = x


def function():
    pass
