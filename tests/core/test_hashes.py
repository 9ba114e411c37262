"""FarmHash64 and SipHash-2-4 of arrays of strings, next to values of TensorFlow's ops."""

import random

import numpy as np
import pytest

from keras_fn.core.byte_strings import pack_array, pack_bytes, pack_decimals
from keras_fn.core.farmhash import concat_fingerprints, fingerprint64
from keras_fn.core.siphash import siphash64

KEY = [133, 2**62 + 5]
BUCKETS = 10**18
# tf.strings.to_hash_bucket_fast and to_hash_bucket_strong (key KEY) of TensorFlow 2.21, 10**18
# buckets; the lengths are the limits of the classes of the algorithm.
NOTED = [
    (b"", 160318154034397263, 162200732974892135),
    (b"A", 915294056622060564, 976050344323648839),
    (b"abc", 640714258260161385, 757502259664731765),
    (b"abcd", 897425971756105985, 485029042532707566),
    (b"seven77", 609918153904721023, 316920560078071996),
    (b"12345678", 430003927990384362, 88632592498811713),
    (b"0123456789abcdef", 105018409752412263, 509323708953101509),
    (b"0123456789abcdefg", 24047538191061578, 80313360126004642),
    (b"x" * 32, 901576723999808517, 514914876260222760),
    (b"y" * 33, 610735037765521150, 427072197110151721),
    (b"z" * 64, 294799756062990872, 141314628794857901),
    (("é世😀" * 10).encode()[:65], 307506204821703792, 121393849407434772),
    (bytes(range(128)), 37963038260878803, 667467051483696755),
    (b"ab" * 150, 377550871612139770, 603283034923423688),
]


def test_hashes_are_those_of_tensorflow():
    strings = pack_bytes([string for string, _, _ in NOTED])
    farm, sip = fingerprint64(strings), siphash64(strings, KEY)
    assert (farm % np.uint64(BUCKETS)).tolist() == [fast for _, fast, _ in NOTED]
    assert (sip % np.uint64(BUCKETS)).tolist() == [strong for _, _, strong in NOTED]


def test_hashes_do_not_depend_on_the_other_strings():
    draw = random.Random(0)
    strings = [draw.randbytes(n) for n in range(150)]
    draw.shuffle(strings)
    packed = pack_bytes(strings)
    for function in (fingerprint64, lambda s: siphash64(s, KEY)):
        alone = [function(pack_bytes([string]))[0] for string in strings]
        assert function(packed).tolist() == alone
        assert function(packed.take(np.arange(5))).tolist() == alone[:5]
        assert function(pack_bytes([])).shape == (0,)


def test_siphash_is_that_of_the_paper():
    key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    assert siphash64(pack_bytes([bytes(range(15))]), key)[0] == 0xA129CA6149BE45E5


def test_fingerprints_of_crosses_are_those_of_tensorflow():
    features = [pack_bytes([b"a", b"bb"]), np.array([1, -2]), pack_bytes([b"x", b""])]
    result = np.full(2, 0xDECAFCAFFE, np.uint64)
    for feature in features:
        is_int = isinstance(feature, np.ndarray)
        parts = feature.astype(np.uint64) if is_int else fingerprint64(feature)
        result = concat_fingerprints(result, parts)
    assert (result % np.uint64(BUCKETS)).tolist() == [266517006419694067, 189082076230500780]


def test_integers_and_arrays_of_text_are_packed():
    numbers = [0, 7, -7, 10**18, -(2**63), 2**63 - 1]
    assert pack_decimals(np.array(numbers)).tolist() == [str(n).encode() for n in numbers]
    for dtype in ("int8", "uint8", "int32", "uint64"):
        limits = np.iinfo(dtype)
        powers = [10**k for k in range(20) if 10**k <= limits.max]
        some = [limits.min, limits.max, 0, *powers, *(power - 1 for power in powers)]
        packed = pack_decimals(np.array(some, dtype)).tolist()
        assert packed == [str(n).encode() for n in some]
    assert pack_decimals(np.zeros(0, int)).tolist() == []
    words = ["", "a", "four", "longer one"]
    for dtype in ("U", "S", ">U12", "U0"):
        expected = [b""] * 4 if dtype == "U0" else [word.encode() for word in words]
        packed = pack_array(np.array(words if dtype != "U0" else [""] * 4, dtype))
        assert packed is None or packed.tolist() == expected
    assert pack_array(np.array(["é"])) is None
    assert pack_array(np.array(["a"], object)) is None


@pytest.mark.thorough
def test_hashes_are_those_of_tensorflow_for_random_strings():
    tf = pytest.importorskip("tensorflow")
    draw = random.Random(1)
    strings = [draw.randbytes(n) for n in range(301) for _ in range(20)]
    draw.shuffle(strings)
    packed = pack_bytes(strings)
    for buckets in (7, 1000003, 2**62 + 12345):
        fast = tf.strings.to_hash_bucket_fast(strings, buckets).numpy()
        assert (fingerprint64(packed) % np.uint64(buckets)).tolist() == fast.tolist()
        for key in (KEY, [0, 0], [2**63 - 1, 1]):
            strong = tf.strings.to_hash_bucket_strong(strings, buckets, key).numpy()
            assert (siphash64(packed, key) % np.uint64(buckets)).tolist() == strong.tolist()
