"""Searches a shelf from Python, through ctypes alone. Usage: search.py LIBRARY SHELF QUERY"""

import ctypes
import sys
from ctypes import POINTER, byref, c_bool, c_char_p, c_double, c_float, c_int32, c_size_t, c_uint32, c_uint64, c_void_p

ABI = 1
NUL_TERMINATED = c_size_t(-1)


class Hit(ctypes.Structure):
    _fields_ = [
        ("id", c_char_p),
        ("id_length", c_size_t),
        ("score", c_float),
        ("shard", c_uint32),
        ("item", c_uint32),
        ("meaning", c_float),
        ("words", c_float),
        ("coverage", c_float),
        ("is_weak", c_bool),
        ("variants", c_uint64),
    ]


class Hits(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("count", c_size_t),
        ("hits", POINTER(Hit)),
        ("tokens", c_size_t),
        ("untruncated", c_size_t),
        ("shards", c_size_t),
        ("distances", c_uint64),
    ]


class Text(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("length", c_size_t)]


class Value(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("kind", c_int32),
        ("boolean", c_int32),
        ("number", c_double),
        ("text", Text),
        ("tags", c_size_t),
    ]


class Shelf:
    def __init__(self, library, path):
        self.native = ctypes.CDLL(library)
        self.native.nearshelf_last_error.restype = c_char_p
        self.native.nearshelf_hits_free.argtypes = [c_void_p]
        self.handle = c_void_p()
        self.check(self.native.nearshelf_open(c_uint32(ABI), path.encode(), byref(self.handle)))

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.native.nearshelf_last_error().decode())

    def search(self, query):
        hits = POINTER(Hits)()
        text = query.encode()
        self.check(self.native.nearshelf_search(self.handle, text, c_size_t(len(text)), None, byref(hits)))
        try:
            found = [hits.contents.hits[i] for i in range(hits.contents.count)]
            return [(hit.id.decode(), hit.score, self.title(hit)) for hit in found]
        finally:
            self.native.nearshelf_hits_free(hits)

    def title(self, hit):
        value = Value(struct_size=ctypes.sizeof(Value))
        shard, item = c_uint32(hit.shard), c_uint32(hit.item)
        self.check(self.native.nearshelf_field(self.handle, shard, item, b"title", NUL_TERMINATED, byref(value)))
        return ctypes.string_at(value.text.data, value.text.length).decode()

    def close(self):
        self.check(self.native.nearshelf_close(self.handle))


if __name__ == "__main__":
    library, path, query = sys.argv[1:]
    shelf = Shelf(library, path)
    for id, score, title in shelf.search(query):
        print(f"{score:.9g} {id} {title}")
    shelf.close()
