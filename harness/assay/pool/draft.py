"""The shard that a build is filling."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assay.pool.columns import fit
from assay.pool.manifest import Column, ShardEntry
from assay.pool.records import Record, complete_columns, derive_uid, text_problem, url_of
from assay.pool.report import Tally
from assay.pool.shard import ShardContent, write_shard
from assay.pool.tokenizer import encode

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SHARD_DOCUMENTS = 50_000
"""Documents of a shard at most: many small ones need more memory than their text."""

BATCH_BYTES = 1 << 20
"""Text encoded at a time; the tokenizer spreads it over threads."""


class Draft:
    """Documents on their way into one shard.

    Attributes:
        num_bytes: Text taken so far.
        places: (source number, place in it) of each document.
        truth: Hidden ground truth of each document, or None.
        tally: Problems met on the way.
    """

    def __init__(
        self,
        schema: Sequence[Column],
        tokenizer: "Tokenizer",
        dtype: np.dtype,
        shard_bytes: int,
    ):
        """Start with nothing.

        Args:
            schema: The pool's metadata columns.
            tokenizer: The pool's.
            dtype: Of the stored tokens.
            shard_bytes: Text of a shard; the document that reaches it is the last.
        """
        self.num_bytes = 0
        self.places: list[tuple[int, int]] = []
        self.truth: list[Any] = []
        self.tally = Tally()
        self._schema = schema
        self._tokenizer = tokenizer
        self._dtype = dtype
        self._shard_bytes = shard_bytes
        self._uids = bytearray()
        self._texts: list[bytes] = []
        self._columns: dict[str, list[Any]] = {column.name: [] for column in schema}
        self._tokens: list[NDArray[np.unsignedinteger]] = []
        self._waiting: list[str] = []
        self._waiting_bytes = 0

    @property
    def full(self) -> bool:
        """Whether the last document was the shard's last."""
        return self.num_bytes >= self._shard_bytes or len(self.places) == SHARD_DOCUMENTS

    def write(self, folder: Path) -> ShardEntry:
        """Write the shard's files."""
        return write_shard(folder, self._content(), self._schema)

    def add(self, record: Record, source: str, number: int, place: int) -> None:
        """Take one record, or count why it cannot be a document."""
        if problem := text_problem(record.text):
            self.tally.add(problem.kind, source, place, problem.detail)
            return
        columns = complete_columns(record.columns, source)
        for column in self._schema:
            value, fits = fit(columns.get(column.name), column.type)
            self._columns[column.name].append(value)
            if not fits:
                detail = f"{column.name} is {columns[column.name]!r}, not {column.type}"
                self.tally.add("column_value", source, place, detail)
        own_id = columns["source_id"]
        self._uids += record.uid or derive_uid(
            None if own_id is None else str(own_id), url_of(columns), record.text
        )
        self._take_text(record.text)
        self.places.append((number, place))
        self.truth.append(record.truth)

    def _take_text(self, text: str) -> None:
        encoded = text.encode("utf-8")
        self._texts.append(encoded)
        self.num_bytes += len(encoded)
        self._waiting.append(text)
        self._waiting_bytes += len(encoded)
        if self._waiting_bytes >= BATCH_BYTES:
            self._encode()

    def _encode(self) -> None:
        self._tokens += encode(self._tokenizer, self._waiting, self._dtype)
        self._waiting = []
        self._waiting_bytes = 0

    def _content(self) -> ShardContent:
        self._encode()
        offsets = np.zeros(len(self._tokens) + 1, dtype="<u8")
        np.cumsum([len(tokens) for tokens in self._tokens], out=offsets[1:])
        return ShardContent(
            uids=bytes(self._uids),
            texts=self._texts,
            tokens=np.concatenate([np.empty(0, self._dtype), *self._tokens]),
            offsets=offsets,
            columns=self._columns,
        )
