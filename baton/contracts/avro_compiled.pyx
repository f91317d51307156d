# cython: language_level=3, binding=True, boundscheck=False, wraparound=False
"""Avro's binary encoding of frozen dataclasses as machine code: what
:mod:`baton.contracts.avro_binary` compiles to Python, the same bytes and the same refusals.

A record is described by a tree of :class:`Node` (:mod:`baton.contracts.avro_codec` makes it); fields
are read from the slots and put straight into them. Nothing is read past the end of the data, and
each item that is read costs a byte of it. It is built for the compiled wheel alone
(``tools/compiled_wheel.py``); types for mypy are in ``avro_compiled.pyi``.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.long cimport PyLong_AsLongLong, PyLong_FromLongLong
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from baton.contracts.avro_numbers import Malformed

cdef extern from *:
    """
    #include <structmember.h>
    static Py_ssize_t baton_slot(PyObject *described) {
        if (!Py_IS_TYPE(described, &PyMemberDescr_Type)) return -1;
        PyMemberDef *member = ((PyMemberDescrObject *)described)->d_member;
        return member->type == T_OBJECT_EX ? member->offset : -1;
    }
    #define BATON_SLOT(o, offset) (*(PyObject **)((char *)(o) + (offset)))
    static PyObject *baton_alloc(PyObject *type) {
        return ((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
    }
    static void baton_fill(PyObject *o, Py_ssize_t offset, PyObject *value) {
        Py_INCREF(value);
        BATON_SLOT(o, offset) = value;
    }
    static PyObject *baton_slot_value(PyObject *o, Py_ssize_t offset) {
        return BATON_SLOT(o, offset);
    }
    """
    Py_ssize_t baton_slot(object described)
    object baton_alloc(object type)
    void baton_fill(object o, Py_ssize_t offset, object value)
    PyObject *baton_slot_value(object o, Py_ssize_t offset)
    bint PyObject_TypeCheck(object o, PyTypeObject *type)
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL

cdef enum:
    INT, BOOL, TEXT, BYTES, ENUM, RECORD, UNION, ARRAY, MAP

KINDS = {
    "int": INT, "bool": BOOL, "text": TEXT, "bytes": BYTES, "enum": ENUM, "record": RECORD,
    "union": UNION, "array": ARRAY, "map": MAP,
}


cdef struct Buffer:
    char *data
    Py_ssize_t used
    Py_ssize_t size


cdef struct Input:
    const unsigned char *data
    Py_ssize_t at
    Py_ssize_t end


cdef class Node:
    """How one value is written: its kind, and the nodes of what is in it."""

    cdef int kind
    cdef object made_of
    cdef tuple names
    cdef tuple parts
    cdef Node element
    cdef Py_ssize_t *offsets
    cdef Py_ssize_t count
    cdef bint written_once
    cdef object last
    cdef bytes last_bytes
    cdef dict members

    def __cinit__(self):
        self.offsets = NULL

    def __dealloc__(self):
        PyMem_Free(self.offsets)

    def __init__(self, kind, made_of=None, fields=(), element=None, written_once=False):
        cdef Py_ssize_t place
        self.kind = KINDS[kind]
        self.made_of = made_of
        self.names = tuple(name for name, _ in fields)
        self.parts = tuple(part for _, part in fields)
        self.element = element
        self.written_once = written_once
        self.count = len(self.names)
        if self.kind == ENUM:
            self.members = {member.value.encode(): member for member in made_of}
        if self.kind == RECORD and not hasattr(made_of, "__post_init__"):
            self.offsets = <Py_ssize_t *>PyMem_Malloc(max(1, self.count) * sizeof(Py_ssize_t))
            for place in range(self.count):
                self.offsets[place] = baton_slot(getattr(made_of, self.names[place], None))
                if self.offsets[place] < 0:
                    PyMem_Free(self.offsets)
                    self.offsets = NULL
                    break


# --- writing

cdef int put(Buffer *to, const char *data, Py_ssize_t size) except -1:
    cdef char *grown
    if to.used + size > to.size:
        grown = <char *>PyMem_Realloc(to.data, 2 * (to.used + size))
        if grown is NULL:
            raise MemoryError
        to.data, to.size = grown, 2 * (to.used + size)
    memcpy(to.data + to.used, data, size)
    to.used += size
    return 0


cdef inline int put_number(Buffer *to, int64_t number) except -1:
    cdef uint64_t rest = (<uint64_t>number << 1) ^ <uint64_t>(number >> 63)
    cdef char[10] written
    cdef int used = 0
    while rest > 127:
        written[used] = <char>(rest & 127 | 128)
        rest >>= 7
        used += 1
    written[used] = <char>rest
    return put(to, written, used + 1)


cdef int put_text(Buffer *to, object text) except -1:
    cdef Py_ssize_t size
    cdef const char *data = PyUnicode_AsUTF8AndSize(text, &size)
    put_number(to, size)
    return put(to, data, size)


cdef int write(Node node, object value, Buffer *to) except -1:
    cdef Py_ssize_t start
    if node.kind == TEXT or node.kind == ENUM:
        return put_text(to, value)
    if node.kind == INT:
        return put_number(to, PyLong_AsLongLong(value))
    if node.kind == UNION:
        if value is None:
            return put(to, b"\0", 1)
        put(to, b"\2", 1)
        return write(node.element, value, to)
    if node.kind == RECORD:
        if not node.written_once:
            return write_record(node, value, to)
        if node.last is not value:
            start = to.used
            write_record(node, value, to)
            node.last_bytes = PyBytes_FromStringAndSize(to.data + start, to.used - start)
            node.last = value
            return 0
        return put(to, PyBytes_AS_STRING(node.last_bytes), PyBytes_GET_SIZE(node.last_bytes))
    if node.kind == BOOL:
        return put(to, b"\1" if value else b"\0", 1)
    if node.kind == BYTES:
        written = <bytes?>value
        put_number(to, PyBytes_GET_SIZE(written))
        return put(to, PyBytes_AS_STRING(written), PyBytes_GET_SIZE(written))
    return write_block(node, value, to)


cdef int write_record(Node node, object value, Buffer *to) except -1:
    cdef Py_ssize_t place
    cdef PyObject *found
    if node.offsets is NULL or type(value) is not node.made_of:
        for place in range(node.count):
            write(node.parts[place], getattr(value, node.names[place]), to)
        return 0
    for place in range(node.count):
        found = baton_slot_value(value, node.offsets[place])
        if found is NULL:
            raise AttributeError(node.names[place])
        write(<Node>node.parts[place], <object>found, to)
    return 0


cdef int write_block(Node node, object value, Buffer *to) except -1:
    if len(value):
        put_number(to, len(value))
        if node.kind == ARRAY:
            for item in value:
                write(node.element, item, to)
        else:
            for key, item in value.items():
                put_text(to, key)
                write(node.element, item, to)
    return put(to, b"\0", 1)


def encoder(Node node, bytes frame):
    """``(record, prefix) -> bytes``: the prefix if any, ``frame``, then the record."""

    def encode(record, bytes prefix=b""):
        cdef Buffer to
        to.size, to.used = 1024, 0
        to.data = <char *>PyMem_Malloc(to.size)
        if to.data is NULL:
            raise MemoryError
        try:
            put(&to, PyBytes_AS_STRING(prefix), PyBytes_GET_SIZE(prefix))
            put(&to, PyBytes_AS_STRING(frame), PyBytes_GET_SIZE(frame))
            write(node, record, &to)
            return PyBytes_FromStringAndSize(to.data, to.used)
        finally:
            PyMem_Free(to.data)

    return encode


# --- reading

cdef inline int byte(Input *of) except -1:
    if of.at >= of.end:
        raise IndexError("the data ends too soon")
    of.at += 1
    return of.data[of.at - 1]


cdef inline int varint(Input *of, uint64_t *number) except -1:
    cdef int one, shift = 0
    number[0] = 0
    while True:
        one = byte(of)
        if shift == 63 and one > 1:
            raise Malformed("a number has more than 64 bits")
        number[0] |= <uint64_t>(one & 127) << shift
        if one < 128:
            return 0
        shift += 7


cdef inline int64_t from_zigzag(uint64_t rest) noexcept:
    return <int64_t>(rest >> 1) ^ -<int64_t>(rest & 1)


cdef inline Py_ssize_t length(Input *of) except -1:
    """The length of a text or of bytes that are there as a whole."""
    cdef uint64_t number
    varint(of, &number)
    if number & 1:
        raise Malformed("a negative length")
    if number >> 1 > <uint64_t>(of.end - of.at):
        raise Malformed("too short or too long")
    return <Py_ssize_t>(number >> 1)


cdef object read_text(Input *of):
    cdef Py_ssize_t size = length(of)
    of.at += size
    return PyUnicode_DecodeUTF8(<const char *>of.data + of.at - size, size, NULL)


cdef object read(Node node, Input *of):
    cdef uint64_t number
    cdef Py_ssize_t size
    cdef int one
    if node.kind == TEXT:
        return read_text(of)
    if node.kind == INT:
        varint(of, &number)
        return PyLong_FromLongLong(from_zigzag(number))
    if node.kind == UNION:
        one = byte(of)
        if one == 0:
            return None
        if one != 2:
            raise Malformed("no such branch")
        return read(node.element, of)
    if node.kind == RECORD:
        return read_record(node, of)
    if node.kind == BOOL:
        one = byte(of)
        if one > 1:
            raise Malformed("no truth value")
        return one == 1
    if node.kind == BYTES or node.kind == ENUM:
        size = length(of)
        of.at += size
        found = PyBytes_FromStringAndSize(<const char *>of.data + of.at - size, size)
        if node.kind == BYTES:
            return found
        member = node.members.get(found)
        return node.made_of(found.decode()) if member is None else member
    return read_blocks(node, of)


cdef object read_record(Node node, Input *of):
    cdef Py_ssize_t place
    if node.offsets is NULL:
        return node.made_of(
            **{name: read(part, of) for name, part in zip(node.names, node.parts)}
        )
    made = baton_alloc(node.made_of)
    for place in range(node.count):
        baton_fill(made, node.offsets[place], read(<Node>node.parts[place], of))
    return made


cdef object read_blocks(Node node, Input *of):
    cdef uint64_t count, size
    cdef list items = []
    cdef dict pairs = {}
    while byte(of):
        of.at -= 1
        varint(of, &count)
        if count & 1:  # a negative count is followed by the block's size
            varint(of, &size)
        count = (count >> 1) + (count & 1)
        while count:
            count -= 1
            if node.kind == ARRAY:
                items.append(read(node.element, of))
            else:
                key = read_text(of)
                pairs[key] = read(node.element, of)
    return tuple(items) if node.kind == ARRAY else pairs


def decoder(Node node):
    """``(data, place of the first byte) -> record``."""

    def decode(bytes data, Py_ssize_t at):
        cdef Input of
        of.data = <const unsigned char *>PyBytes_AS_STRING(data)
        of.at, of.end = at, PyBytes_GET_SIZE(data)
        if at < 0:
            raise IndexError("a place before the data")
        found = read(node, &of)
        if of.at != of.end:
            raise Malformed("too short or too long")
        return found

    return decode
