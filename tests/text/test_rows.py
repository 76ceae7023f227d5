from hypothesis import given
from hypothesis import strategies as st

from assay.text.rows import SIDE_BY_SIDE_TOKENS, Layout, Row, batches, pack

TOKENS = st.lists(st.integers(1, 9), min_size=1, max_size=6).map(tuple)
KEYS = st.lists(st.tuples(TOKENS, TOKENS), min_size=1, max_size=30)


@given(KEYS)
def test_every_different_request_is_in_exactly_one_row(keys):
    packed = [(row.prefix, branch) for row in pack(keys) for branch in row.branches]
    assert sorted(packed) == sorted(set(keys))


@given(KEYS)
def test_each_token_is_predicted_from_its_own_prefix_and_branch_alone(keys):
    rows = list(pack(keys))
    layout = Layout.of(rows)
    width = layout.tokens.shape[1]
    expected = [
        (list(row.prefix + branch[:i]), token)
        for row in rows
        for branch in row.branches
        for i, token in enumerate(branch)
    ]
    got = []
    for source, target in zip(layout.sources, layout.targets, strict=True):
        i, j = divmod(int(source), width)
        branch = layout.branches[i]
        visible = [k for k in range(j + 1) if branch[k] in (0, branch[j])]
        assert layout.positions[i, visible].tolist() == list(range(len(visible)))
        got.append((layout.tokens[i, visible].tolist(), int(target)))
    assert got == expected


def test_four_answers_to_one_question_share_a_row():
    keys = [((1, 2, 3), (4, i)) for i in range(4)]
    (row,) = pack(keys)
    assert row == Row((1, 2, 3), ((4, 0), (4, 1), (4, 2), (4, 3)))
    assert row.length == 7


def test_a_prefix_with_too_many_answers_is_repeated_in_a_new_row():
    keys = [((1,), (2, 3, i)) for i in range(SIDE_BY_SIDE_TOKENS)]
    rows = list(pack(keys))
    assert len(rows) > 1
    assert all(row.length <= SIDE_BY_SIDE_TOKENS + 2 for row in rows)


def test_batches_hold_every_row_once_and_no_more_tokens_than_asked():
    rows = sorted((Row((1,) * n, ((2,),)) for n in range(1, 40)), key=lambda row: -row.length)
    cut = list(batches(rows, 64))
    assert [row for batch in cut for row in batch] == rows
    assert all(len(batch) * batch[0].length <= 64 for batch in cut)


def test_a_row_longer_than_a_batch_goes_alone():
    rows = [Row((1,) * 100, ((2,),)), Row((1,) * 3, ((2,),))]
    assert [len(batch) for batch in batches(rows, 10)] == [1, 1]
