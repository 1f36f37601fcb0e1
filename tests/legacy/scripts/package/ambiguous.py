def halves(values):
    return map(half, values)


def half(n):
    return n / 2
