"""A worker that would like other numbers than its run gave."""

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assay.canonical import digest_bytes
from forgery import forged


class Forger:
    """A worker that holds a lease and an honest result, and would like another."""

    def __init__(self, server):
        self.server = server
        self.worker = server.token("work")
        assert server.hand_in(server.team(), manifest='{"name": "honest"}').status_code == 202
        self.lease = server.lease(self.worker)
        self.parts = server.results(self.lease["job"])

    @property
    def record(self) -> dict[str, Any]:
        return json.loads(self.parts["record"])

    def bring(self, record: Any = None, **parts: bytes):
        body = self.parts | parts
        if record is not None:
            body["record"] = record if isinstance(record, bytes) else json.dumps(record).encode()
        return self.server.bring(self.worker, self.lease, **body)

    def refused(self, rule: str, record: Any = None, **parts: bytes) -> None:
        answer = self.bring(record, **parts)
        assert answer.status_code in (413, 422), answer.text
        assert answer.json()["rule"] == rule, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert str(self.server.board.settings.home) not in answer.text
        folder = self.server.board.settings.folder
        assert not (folder / "results").exists()
        assert list((folder / "incoming").iterdir()) == []
        assert self.server.board.ledger.size == 1

    def with_outputs(self, table: pa.Table, **changes: Any) -> tuple[dict[str, Any], bytes]:
        stream = io.BytesIO()
        pq.write_table(table, stream)
        data = stream.getvalue()
        return forged(self.record, digests__outputs=digest_bytes(data), **changes), data
