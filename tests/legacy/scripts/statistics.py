"""Has the name of a module that only Python 3 has."""
def mean(values):
    return sum(values) / len(values)
