"""A reader of Thrift's compact protocol, in which Parquet writes its metadata.

Source:
    https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

import mmap
import struct
from typing import Any

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = (4, 5, 6)
_MAX_DEPTH = 12
_MAX_VALUES = 1_000_000  # of one reader, so that a hostile file costs bounded memory


class CompactReader:
    """Reads structs from bytes.

    Attributes:
        position: Offset of the next byte.
    """

    def __init__(self, data: bytes | mmap.mmap, position: int = 0):
        self._data = data
        self._budget = _MAX_VALUES
        self.position = position

    def read_struct(self, depth: int = 0) -> dict[int, Any]:
        """Read a struct into its fields by number; lists become lists, structs become dicts.

        Raises:
            ValueError: If the bytes are no such struct, or it is too large.
        """
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            kind = head & 0x0F
            # in a struct, a truth value has no byte of its own
            fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        self._budget -= 1
        if self._budget < 0 or depth > _MAX_DEPTH:
            raise ValueError("metadata is too large or nests too deeply")
        if kind in _INTEGERS:
            return self._integer()
        if kind == _BINARY:
            return self._take(self._varint())
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind == _STRUCT:
            return self.read_struct(depth + 1)
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind == _DOUBLE:
            return struct.unpack("<d", self._take(8))[0]
        raise ValueError(f"metadata has a field of unknown kind {kind}")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        size = self._varint() if head >> 4 == 15 else head >> 4
        if size > self._budget:
            raise ValueError("metadata has a list that is too long")
        return [self._value(head & 0x0F, depth + 1) for _ in range(size)]

    def _byte(self) -> int:
        if self.position >= len(self._data):
            raise ValueError("metadata runs over its end")
        self.position += 1
        return self._data[self.position - 1]

    def _take(self, count: int) -> bytes:
        stop = self.position + count
        if stop > len(self._data):
            raise ValueError("metadata runs over its end")
        taken = bytes(self._data[self.position : stop])
        self.position = stop
        return taken

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError("metadata has a number that is too long")

    def _integer(self) -> int:
        """Read a zigzag-encoded integer."""
        raw = self._varint()
        return (raw >> 1) ^ -(raw & 1)
