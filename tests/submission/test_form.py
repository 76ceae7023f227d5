"""The canonical form: what counts as the same submission, and what does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import SubmissionError
from assay.pool.uid import UID_DTYPE
from assay.submission import Submission, staged, submission_of
from assay.submission.form import PPM, shares_in_ppm


def uids(*numbers: int) -> np.ndarray:
    return np.array([(number >> 64, number & (2**64 - 1)) for number in numbers], dtype=UID_DTYPE)


distinct = st.lists(st.integers(0, 2**128 - 1), min_size=1, max_size=30, unique=True)


@given(distinct, st.randoms())
def test_the_order_of_ids_means_nothing(numbers, random):
    shuffled = numbers.copy()
    random.shuffle(shuffled)
    one, other = submission_of(uids(*numbers)), submission_of(uids(*shuffled))
    assert one.digest == other.digest
    assert np.array_equal(one.stages[0].uids, other.stages[0].uids)
    assert np.array_equal(one.stages[0].uids, uids(*sorted(numbers)))


@given(distinct, st.data())
def test_the_order_of_weighted_rows_means_nothing(numbers, data):
    repeats = data.draw(st.lists(st.integers(1, 9), min_size=len(numbers), max_size=len(numbers)))
    order = data.draw(st.permutations(range(len(numbers))))
    one = submission_of(uids(*numbers), repeats=np.array(repeats))
    other = submission_of(
        uids(*[numbers[i] for i in order]), repeats=np.array([repeats[i] for i in order])
    )
    assert one.digest == other.digest
    assert one.n == sum(repeats)


@given(distinct, distinct)
def test_different_lists_have_different_digests(first, second):
    same = sorted(first) == sorted(second)
    digests = {submission_of(uids(*numbers)).digest for numbers in (first, second)}
    assert (len(digests) == 1) == same


def test_weights_of_one_are_no_weights():
    weighted = submission_of(uids(3, 1, 2), repeats=np.ones(3, dtype=int))
    assert weighted.form == "ids"
    assert weighted.digest == submission_of(uids(1, 2, 3)).digest


def test_weights_change_the_digest_and_the_form():
    weighted = submission_of(uids(1, 2), repeats=np.array([1, 2]))
    assert weighted.form == "weighted"
    assert weighted.digest != submission_of(uids(1, 2)).digest
    assert weighted.digest != submission_of(uids(1, 2), repeats=np.array([2, 1])).digest


def test_a_single_stage_is_its_inner_form():
    inner = submission_of(uids(5, 4))
    assert staged([(1.0, inner)]).digest == inner.digest
    assert staged([(1.0, inner)]).form == "ids"


def test_the_order_of_stages_matters():
    first, second = submission_of(uids(1)), submission_of(uids(2))
    forward = staged([(0.5, first), (0.5, second)])
    backward = staged([(0.5, second), (0.5, first)])
    assert forward.form == "staged"
    assert forward.digest != backward.digest


def test_shares_of_stages_change_the_digest():
    first, second = submission_of(uids(1)), submission_of(uids(2))
    assert (
        staged([(0.5, first), (0.5, second)]).digest != staged([(0.6, first), (0.4, second)]).digest
    )


def test_chunks_and_units_change_the_digest():
    chunk = np.array([0])
    digests = {
        submission_of(uids(1)).digest,
        submission_of(uids(1), chunks=chunk, unit="tokens512").digest,
        submission_of(uids(1), chunks=chunk, unit="words128").digest,
        submission_of(uids(1), chunks=chunk + 1, unit="tokens512").digest,
    }
    assert len(digests) == 4


def test_the_digest_of_a_known_list_never_changes():
    known = submission_of(uids(1, 2**64, 2**128 - 1))
    assert known.digest == (
        "sha256:b3210707505525f65cda78fc84bb456947839d279a45db96d2b4363369bea80e"
    )


def test_a_repeated_id_is_refused_with_rule_s3():
    with pytest.raises(SubmissionError, match="repeats") as caught:
        submission_of(uids(1, 2, 1))
    assert (caught.value.rule, caught.value.row) == ("S3", 2)


def test_the_same_id_may_come_in_two_stages_and_as_two_chunks():
    one = submission_of(uids(1))
    assert staged([(0.5, one), (0.5, one)]).n == 2
    chunks = submission_of(uids(1, 1), chunks=np.array([1, 0]), unit="tokens512")
    assert chunks.stages[0].chunks.tolist() == [0, 1]


@pytest.mark.parametrize("repeats", [0, -1, 2**32])
def test_repeats_outside_their_range_are_refused_with_rule_s3(repeats):
    with pytest.raises(SubmissionError) as caught:
        submission_of(uids(1, 2), repeats=np.array([1, repeats]))
    assert (caught.value.rule, caught.value.row) == ("S3", 1)


def test_an_empty_list_is_refused_with_rule_s1():
    with pytest.raises(SubmissionError, match="empty") as caught:
        submission_of(uids())
    assert caught.value.rule == "S1"


def test_chunk_ids_without_a_unit_are_refused_with_the_flag_to_add():
    with pytest.raises(SubmissionError, match="--unit") as caught:
        submission_of(uids(1), chunks=np.array([0]))
    assert caught.value.rule == "S1"


def test_document_ids_with_a_chunk_unit_are_refused():
    with pytest.raises(SubmissionError, match="document ids") as caught:
        submission_of(uids(1), unit="words128")
    assert caught.value.rule == "S1"


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=40))
def test_shares_always_add_up_exactly_and_survive_printing(weights):
    total = sum(weights)
    ppm = shares_in_ppm([weight / total for weight in weights])
    assert sum(ppm) == PPM
    assert shares_in_ppm([float(f"{part / PPM:.6f}") for part in ppm]) == ppm


def test_thirds_are_shared_out_with_the_remainder_first():
    assert shares_in_ppm([1 / 3, 1 / 3, 1 / 3]) == (333_334, 333_333, 333_333)


@pytest.mark.parametrize(
    "shares", [[0.5, 0.4], [1.5, -0.5], [float("nan"), 1.0], [1.0, 0.0], [1 - 1e-8, 1e-8]]
)
def test_shares_that_do_not_add_up_are_refused_with_rule_s4(shares):
    part = submission_of(uids(1))
    with pytest.raises(SubmissionError) as caught:
        staged([(share, part) for share in shares])
    assert caught.value.rule == "S4"


def test_stages_of_stages_are_refused():
    part = submission_of(uids(1))
    with pytest.raises(SubmissionError, match="one-stage"):
        staged([(1.0, staged([(0.5, part), (0.5, part)]))])


def test_the_number_of_entries_counts_weights_and_stages():
    part = submission_of(uids(1, 2), repeats=np.array([1, 3]))
    both: Submission = staged([(0.5, part), (0.5, submission_of(uids(9)))])
    assert both.n == 5
