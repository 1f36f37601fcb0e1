"""What is remembered of the order of dictionaries never outlives a change."""

import random

from biskit_pvm.compat.python2.builtins.hash_tables import keys_of, table_order


def test_remembered_orders_are_those_of_the_keys():
    draw = random.Random(2)
    for n in (3, 20, 64, 65, 300, 5000):
        table = {f"k{i}" if i % 3 else i: None for i in range(n)}
        for _ in range(20):
            for _ in range(2):  # worked out, and remembered
                assert keys_of(table) == table_order(list(table))
            del table[draw.choice(list(table))]
            table[draw.choice(["x%i", "é%i"]) % draw.randrange(100)] = None


def test_keys_that_are_equal_are_not_taken_for_each_other():
    for n in (2, 100):
        whole = keys_of(dict.fromkeys(range(-1, n)))
        assert list(map(type, whole)) == [int] * (n + 1)
        assert list(map(type, keys_of({float(i): 0 for i in whole}))) == [float] * (n + 1)


def test_who_asks_may_change_the_list():
    for n in (5, 500):
        table = {str(i): i for i in range(n)}
        first = keys_of(table)
        first.clear()
        assert len(keys_of(table)) == n
