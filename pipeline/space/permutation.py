"""A keyed pseudo-random permutation of [0, N) for any N up to 2^32, from the index alone, with its inverse.

It is the generalised Feistel network of Black and Rogaway ("Ciphers with Arbitrary Finite Domains", CT-RSA 2002,
method 3): an index is written as (l, r) with l < a, r < b and a·b barely over N; each round adds a keyed hash of one half to the
other, modulo a or b. The few values in [N, a·b) are walked on until they fall below N (cycle walking).
"""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]

#: Black and Rogaway prove bounds from three rounds on; six leave no structure that the tests' chi-squared sees.
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Permutation:
    """A bijection of [0, size). Equal seed and size give the same order for ever."""

    size: int
    rows: int
    columns: int
    keys: tuple[tuple[int, int], ...]

    @classmethod
    def seeded(cls, size: int, seed: int) -> "Permutation":
        """Derive the round keys from the seed; `size` in [1, 2^32]."""
        rows = max(1, math.isqrt(size - 1) + 1)
        columns = -(-size // rows)
        stream = hashlib.blake2b(f"dicom-census permutation {seed} {size}".encode(), digest_size=64).digest()
        stream += hashlib.blake2b(stream, digest_size=64).digest()
        words = [int.from_bytes(stream[i : i + 8], "big") for i in range(0, 16 * ROUNDS, 8)]
        keys = tuple((words[2 * i], words[2 * i + 1] | 1) for i in range(ROUNDS))
        return cls(size, rows, columns, keys)

    def forward(self, index: NDArray[np.integer]) -> NDArray[np.int64]:
        """The values at the given indices; both in [0, size), of one shape (n,)."""
        return self._walk(index, self._encipher)

    def inverse(self, value: NDArray[np.integer]) -> NDArray[np.int64]:
        """The indices at which the given values stand."""
        return self._walk(value, self._decipher)

    def _walk(self, start: NDArray[np.integer], step) -> NDArray[np.int64]:  # type: ignore[no-untyped-def]
        result = step(start.astype(np.uint64))
        outside = np.flatnonzero(result >= self.size)
        while len(outside):
            result[outside] = step(result[outside])
            outside = outside[result[outside] >= self.size]
        return result.astype(np.int64)  # type: ignore[no-any-return]

    def _encipher(self, value: U64) -> U64:
        left, right = np.divmod(value, np.uint64(self.columns))
        for number, key in enumerate(self.keys):
            if number % 2:
                right = _add(right, _hash(left, key, self.columns), self.columns)
            else:
                left = _add(left, _hash(right, key, self.rows), self.rows)
        return left * np.uint64(self.columns) + right

    def _decipher(self, value: U64) -> U64:
        left, right = np.divmod(value, np.uint64(self.columns))
        for number, key in reversed(list(enumerate(self.keys))):
            if number % 2:
                right = _subtract(right, _hash(left, key, self.columns), self.columns)
            else:
                left = _subtract(left, _hash(right, key, self.rows), self.rows)
        return left * np.uint64(self.columns) + right


def _hash(half: U64, key: tuple[int, int], modulus: int) -> U64:
    """A keyed 32-bit hash of each half (two multiply-xorshift rounds), scaled to [0, modulus)."""
    mixed = (half + np.uint64(key[0])) * np.uint64(key[1])
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed >>= np.uint64(32)
    return (mixed * np.uint64(modulus)) >> np.uint64(32)


def _add(a: U64, b: U64, modulus: int) -> U64:
    total = a + b
    return np.where(total >= modulus, total - np.uint64(modulus), total)


def _subtract(a: U64, b: U64, modulus: int) -> U64:
    return np.where(a >= b, a - b, a + np.uint64(modulus) - b)
