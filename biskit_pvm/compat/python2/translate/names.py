"""
The names through which translated code and its run-time helpers find each other.

Both sides read them from here: `meaning` writes the calls, `biskit_pvm.compat.python2.builtins` provides the functions.
"""

from __future__ import annotations

#: methods whose call goes through a helper: on 8-bit strings, dicts and lists Python 2 answered otherwise
CALLS = frozenset(
    """
    strip lstrip rstrip split rsplit splitlines join replace translate format encode decode
    upper lower title capitalize swapcase isalpha isdigit isalnum isspace islower isupper istitle
    count find rfind index rindex startswith endswith partition rpartition center ljust rjust expandtabs zfill
    keys values items iterkeys itervalues iteritems viewkeys viewvalues viewitems has_key
    popitem extend sort next tostring astype ptp itemset newbyteorder
    __getslice__ __setslice__ __delslice__ __cmp__ __nonzero__ __div__ __unicode__
""".split()
)

#: attributes that Python 3 spells otherwise or does not have; also every method above, where it is not called at once
LOADS = CALLS | frozenset(
    """
    im_func im_self im_class func_name func_code func_defaults func_globals func_dict func_doc func_closure
    gi_code message __class__ __bases__ char itemsize kind bytes
""".split()
) - {"bytes"}

#: attributes whose assignment goes through a helper
STORES = frozenset("func_name func_code func_defaults func_dict func_doc".split()) | frozenset(
    # an old-style instance could have them for itself
    f"__{name}__"
    for name in """
    len getitem setitem delitem iter contains call nonzero cmp str repr int float neg abs eq ne lt le gt ge hash enter exit
    add radd sub rsub mul rmul div rdiv truediv rtruediv floordiv rfloordiv mod rmod pow rpow and rand or ror xor rxor
    lshift rlshift rshift rrshift
""".split()
)

#: comparison operators and their helpers
COMPARISONS = {
    "Lt": "__py2_lt__",
    "LtE": "__py2_le__",
    "Gt": "__py2_gt__",
    "GtE": "__py2_ge__",
    "Eq": "__py2_eq__",
    "NotEq": "__py2_ne__",
    "In": "__py2_in__",
    "NotIn": "__py2_not_in__",
}

#: arithmetic operators and their helpers, also in place
ARITHMETIC = {"Add": "add", "Sub": "sub", "Mult": "mul", "Pow": "pow"}

#: helpers that are written into translated code, besides the ones for CALLS (`__py2_call_<method>__`)
HELPERS = frozenset(COMPARISONS.values()) | frozenset(
    """
    __py2_add__ __py2_sub__ __py2_mul__ __py2_pow__ __py2_iadd__ __py2_isub__ __py2_imul__ __py2_ipow__
    __py2_truediv__ __py2_itruediv__ __py2_div__ __py2_idiv__ __py2_mod__ __py2_imod__ __py2_type__ __py2_number__ __py2_attr__ __py2_setattr__
    __py2_iter__ __py2_listed__
    __py2_getslice__ __py2_setslice__ __py2_delslice__ __py2_item_of_exception__
    __py2_u__ __py2_long__ __py2_repr__ __py2_print__ __py2_exec__ __py2_exec_in_function__ __py2_star__
    __py2_raise__ __py2_reraise__ __py2_match__ __py2_caught__ __py2_flat__
""".split()
)


def call_helper(method: str) -> str:
    """
    Name the helper that calls a method the way Python 2 did.

    Parameters
    ----------
    method : str
        One of `CALLS`.

    Returns
    -------
    str
    """
    return f"__py2_call_{method.strip('_')}__"
