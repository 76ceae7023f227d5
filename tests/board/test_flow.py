"""From a list to a record that anybody can verify, on both databases."""

import json

from assay.cli import main
from assay.ledger import SignedHead, verify_inclusion
from assay.seeds import epoch_digest, epoch_seed
from tiny import SCALE, TRACK


def test_a_list_becomes_a_record_in_the_ledger(server, tmp_path):
    team, worker = server.team(), server.token("work")
    answer = server.hand_in(team, manifest='{"name": "my filter"}')
    assert answer.status_code == 202, answer.text
    submission = answer.json()["submission"]
    assert submission["state"] == "queued"
    assert submission["position"] == 1
    assert submission["name"] == "my filter"
    assert submission["report"]["ok"]
    lease = server.lease(worker)
    job = lease["job"]
    assert (job["track"], job["scale"]) == (TRACK, SCALE)
    assert job["seed"] == epoch_seed(b"\x07" * 32, job["submission"]["digest"], job["label"], 0)
    assert job["epoch"] == epoch_digest(b"\x07" * 32)
    running = server.get(f"/v1/submissions/{submission['id']}")
    assert running["state"] == "running"
    assert running["runs"][0]["worker"] == "w1"
    answer = server.bring(worker, lease)
    assert answer.status_code == 201, answer.text
    done = server.get(f"/v1/submissions/{submission['id']}")
    assert done["state"] == "done"
    assert done["runs"][0]["record"] == answer.json()["record"]
    assert done["position"] is None
    # The epoch's commitment is older than any run that it gave a seed to.
    kinds = [entry["kind"] for entry in server.get("/v1/ledger/entries")["items"]]
    assert kinds == ["epoch", "run"]
    (table,) = server.get(f"/v1/boards/{TRACK}/{SCALE}")["tables"]
    assert [row["name"] for row in table["rows"]] == ["my filter"]
    proof = server.get(f"/v1/records/{answer.json()['record']}/proof")
    head, entry = proof["head"], proof["entry"]
    assert SignedHead(**head).is_signed
    assert verify_inclusion(
        entry["digest"].encode(), entry["index"], head["size"], proof["path"], head["root"]
    )
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof))
    assert main(["ledger", "verify", str(path)]) == 0
