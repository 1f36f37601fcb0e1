# Python values to C and back, with the owners of the memory.  No calls of libpvm.

from cpython.array cimport array as Array
from cpython.buffer cimport (
    PyBUF_FORMAT, PyBUF_SIMPLE, PyBUF_STRIDED_RO, PyBUF_WRITABLE, PyBUF_STRIDES,
    PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize

from array import array


cdef bytes encode(text, str what="the name"):
    """Turn a name into the bytes that libpvm wants; it must not hold a NUL."""
    cdef bytes encoded
    if isinstance(text, (str, bytes, os.PathLike)):
        encoded = os.fsencode(text)
    else:
        raise TypeError(f"{what} must be str or bytes, not {type(text).__name__}")
    if b"\0" in encoded:
        raise ValueError(f"{what} contains a NUL character")
    return encoded


cdef str decode(const char *text):
    return os.fsdecode(<bytes>text) if text != NULL else ""


cdef Array ints(values, str what):
    """Copy integers into an array of C ints."""
    if isinstance(values, (str, bytes, bytearray)):
        raise TypeError(f"{what} must be a sequence of int, not {type(values).__name__}")
    return array("i", values)


cdef class Strings:
    """Several names as a C array of strings, which ends with NULL."""

    cdef char **items
    cdef int count
    cdef list owners

    def __cinit__(self, values, str what):
        if isinstance(values, (str, bytes, os.PathLike)):
            raise TypeError(f"{what} must be a sequence of str, not {type(values).__name__}")
        self.owners = [encode(value, what) for value in values]
        self.count = len(self.owners)
        self.items = <char **>PyMem_Malloc((self.count + 1) * sizeof(char *))
        if self.items == NULL:
            raise MemoryError
        for i in range(self.count):
            self.items[i] = PyBytes_AS_STRING(self.owners[i])
        self.items[self.count] = NULL

    def __dealloc__(self):
        PyMem_Free(self.items)
