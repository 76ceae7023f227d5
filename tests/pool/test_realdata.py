import itertools
import json
from pathlib import Path

import pytest
import zstandard

from assay.pool import Pool, build_pool, verify_pool
from assay.pool.uid import uids_to_hex

FOLDER = Path(__file__).parents[2] / "../shared/data/text/pool"


@pytest.mark.realdata
@pytest.mark.slow
def test_two_shards_of_real_web_text_are_built_and_verified(tmp_path: Path) -> None:
    shards = sorted(FOLDER.glob("*.jsonl.zst"))[:2]
    if not shards:
        pytest.skip("the real data is not here")
    pool = build_pool(shards, tmp_path / "real", name="real")
    assert pool.vocab_size == 2048
    assert pool.manifest.report == {}
    raw = {}
    for shard in shards:
        with zstandard.open(shard, "rt", encoding="utf-8") as lines:
            for line in itertools.islice(lines, 50):
                document = json.loads(line)
                uid = document["metadata"]["WARC-Record-ID"][10:46].replace("-", "")
                raw[uid] = (document["text"], document["url"] or None)
    uids = uids_to_hex(pool.uids)
    rows = [uids.index(uid) for uid in raw]
    assert list(pool.texts(rows)) == [text for text, _ in raw.values()]
    assert pool.column("url", rows).to_pylist() == [url for _, url in raw.values()]
    tokenizer = pool.tokenizer()
    for row in rows[:20]:
        assert tokenizer.decode(pool.tokens(row).tolist()) == pool.text(row)
    assert verify_pool(Pool.open(pool.path)).ok
