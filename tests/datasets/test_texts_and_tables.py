"""IMDB, Reuters and the housing tables, from small files of the published form."""

import io
import json

import numpy as np
import pytest

from keras_fn.datasets import boston_housing, california_housing, imdb, reuters


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def texts(*lists) -> np.ndarray:
    array = np.empty(len(lists), object)
    array[:] = lists
    return array


REVIEWS = texts([1, 5, 9], [2], [3, 4], [7, 8, 1, 2])
LABELS = np.array([0, 1, 0, 1])


@pytest.fixture
def reviews(publish):
    publish("imdb.npz", npz(x_train=REVIEWS, y_train=LABELS, x_test=REVIEWS[:2], y_test=LABELS[:2]))


def test_imdb_start_token_offset_and_vocabulary(reviews):
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=9)
    rng = np.random.RandomState(113)
    order, test_order = np.arange(4), np.arange(2)
    rng.shuffle(order)
    rng.shuffle(test_order)
    expected = [[1] + [w + 3 if w + 3 < 9 else 2 for w in REVIEWS[i]] for i in order]
    assert x_train.tolist() == expected and x_train.dtype == object
    assert y_train.tolist() == LABELS[order].tolist()
    assert y_test.tolist() == LABELS[test_order].tolist() and len(x_test) == 2


def test_imdb_without_tokens_drops_words_outside_the_vocabulary(reviews):
    (x_train, _), _ = imdb.load_data(
        num_words=6, skip_top=2, start_char=None, oov_char=None, index_from=0
    )
    assert sorted(x_train.tolist()) == [[2], [2], [3, 4], [5]]


def test_imdb_keeps_reviews_shorter_than_maxlen(reviews):
    (x_train, y_train), (x_test, _) = imdb.load_data(maxlen=4)
    assert sorted(map(len, x_train)) == [2, 3] and len(y_train) == 2
    assert [len(x) for x in x_test] == [2]
    with pytest.raises(ValueError, match="maxlen=2"):
        imdb.load_data(maxlen=2)


def test_imdb_rejects_unknown_arguments(reviews):
    with pytest.raises(TypeError, match="nb_word="):
        imdb.load_data(nb_word=5)


def test_texts_of_one_length_stay_lists(publish):
    same = texts([1, 2], [3, 4])
    publish("imdb.npz", npz(x_train=same, y_train=LABELS[:2], x_test=same, y_test=LABELS[:2]))
    (x_train, _), _ = imdb.load_data()
    assert x_train.shape == (2,) and isinstance(x_train[0], list)


def test_word_indices(publish):
    publish("imdb_word_index.json", json.dumps({"the": 1}).encode())
    publish("reuters_word_index.json", json.dumps({"of": 2}).encode())
    assert imdb.get_word_index() == {"the": 1}
    assert reuters.get_word_index() == {"of": 2}


def test_reuters_splits_after_shuffling(publish):
    publish("reuters.npz", npz(x=REVIEWS, y=LABELS))
    (x_train, y_train), (x_test, y_test) = reuters.load_data(test_split=0.25, seed=7)
    order = np.arange(4)
    np.random.RandomState(7).shuffle(order)
    assert [*y_train, *y_test] == LABELS[order].tolist()
    assert len(x_train) == 3 and len(x_test) == 1
    assert [len(x) - 1 for x in (*x_train, *x_test)] == [len(REVIEWS[i]) for i in order]


def test_reuters_names_its_46_topics():
    names = reuters.get_label_names()
    assert len(names) == len(set(names)) == 46 and names[45] == "lead"


def test_boston_housing_is_shuffled_by_the_seed(publish):
    x, y = np.arange(130.0).reshape(10, 13), np.arange(10.0)
    publish("boston_housing.npz", npz(x=x, y=y))
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data()
    order = np.arange(10)
    np.random.RandomState(113).shuffle(order)
    assert [*y_train, *y_test] == order.tolist() and len(y_test) == 2
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), x[order])
    with pytest.raises(ValueError, match="test_split"):
        boston_housing.load_data(test_split=1.0)


def test_california_housing_has_a_small_version(publish):
    publish("california_housing.npz", npz(x=np.ones((700, 8), "float32"), y=np.arange(700)))
    (x_train, _), (x_test, _) = california_housing.load_data("small")
    assert x_train.shape == (480, 8) and x_test.shape == (120, 8)
    (x_train, _), (x_test, _) = california_housing.load_data()
    assert len(x_train) + len(x_test) == 700
    with pytest.raises(ValueError, match='"large" or "small"'):
        california_housing.load_data("medium")
