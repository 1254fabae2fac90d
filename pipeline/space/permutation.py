"""A keyed pseudo-random permutation of [0, N) for any N up to 2^32, from the index alone, with its inverse.

It is the generalised Feistel network of Black and Rogaway ("Ciphers with Arbitrary Finite Domains", CT-RSA 2002,
method 3). A value is left · 2^bits + right with left < rows, where rows · 2^bits is barely over N. Each round adds a keyed
hash of one half to the other, modulo rows or 2^bits in turn. The few values in [N, rows · 2^bits) are enciphered again until
they fall below N (cycle walking).

Both halves have at most 16 bits (17 for the sums), so all arithmetic is 32-bit, which numpy does eight lanes at a time.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

U32 = NDArray[np.uint32]

#: `benchmarks/permutation_quality.py` prints the structure that each number of rounds leaves; docs/decisions/0003 discusses it.
ROUNDS = 6
#: Odd constants of the hash (Weyl and splitmix multipliers, cut to 32 bits).
MULTIPLIER, FINISHER = 0x9E3779B1, 0x85EBCA6B


@dataclass(frozen=True, slots=True)
class Permutation:
    """A bijection of [0, size). Equal seed and size always give the same order.

    `rows` is the number of left halves, `bits` the length of a right half; `keys` has one 32-bit word per round.
    """

    size: int
    rows: int
    bits: int
    keys: tuple[int, ...]

    @classmethod
    def seeded(cls, size: int, seed: int, *, rounds: int = ROUNDS) -> "Permutation":
        """Derive the round keys from the seed; `size` in [1, 2^32]."""
        bits = ((size - 1).bit_length() + 1) // 2
        stream = hashlib.shake_256(f"dicom-census permutation {seed} {size}".encode()).digest(4 * rounds)
        keys = tuple(int.from_bytes(stream[at : at + 4], "big") for at in range(0, len(stream), 4))
        return cls(size, -(-size // (1 << bits)), bits, keys)

    def forward(self, index: NDArray[np.integer]) -> U32:
        """The values at the given indices; both in [0, size), of one shape (n,)."""
        return self._walk(index, reverse=False)

    def inverse(self, value: NDArray[np.integer]) -> U32:
        """The indices of the given values."""
        return self._walk(value, reverse=True)

    def _walk(self, start: NDArray[np.integer], *, reverse: bool) -> U32:
        """Encipher or decipher, again for values outside of [0, size)."""
        result = self._cipher(start.astype(np.uint32), reverse=reverse)
        if self.rows << self.bits == self.size:
            return result
        outside = np.flatnonzero(result >= self.size)
        while len(outside):
            result[outside] = self._cipher(result[outside], reverse=reverse)
            outside = outside[result[outside] >= self.size]
        return result

    def _cipher(self, value: U32, *, reverse: bool) -> U32:
        """Run all rounds in place; `value` is overwritten."""
        left, right = value >> np.uint32(self.bits), value
        right &= np.uint32((1 << self.bits) - 1)
        mixed, spare = np.empty_like(value), np.empty_like(value)
        order = reversed(range(len(self.keys))) if reverse else range(len(self.keys))
        for number in order:
            source, target = (left, right) if number % 2 else (right, left)
            _mix(source, self.keys[number], mixed, spare)
            if number % 2:
                mixed >>= np.uint32(32 - self.bits)
                (np.subtract if reverse else np.add)(target, mixed, out=target)
                target &= np.uint32((1 << self.bits) - 1)
            else:
                _scale(mixed, self.rows, spare)
                _turn(target, mixed, self.rows, spare, reverse=reverse)
        left <<= np.uint32(self.bits)
        left |= right
        return left


def _mix(half: U32, key: int, out: U32, spare: U32) -> None:
    """Hash each half with a key: 32 bits, of which the upper ones are the best."""
    np.add(half, np.uint32(key), out=out)
    out *= np.uint32(MULTIPLIER)
    np.right_shift(out, np.uint32(15), out=spare)
    out ^= spare
    out *= np.uint32(FINISHER)
    np.right_shift(out, np.uint32(13), out=spare)
    out ^= spare
    out *= np.uint32(MULTIPLIER)


def _scale(mixed: U32, rows: int, spare: U32) -> None:
    """Map 32 bits evenly to [0, rows), rows at most 2^16: the upper part of the 48-bit product, in 32-bit arithmetic."""
    np.bitwise_and(mixed, np.uint32(0xFFFF), out=spare)
    spare *= np.uint32(rows)
    spare >>= np.uint32(16)
    mixed >>= np.uint32(16)
    mixed *= np.uint32(rows)
    mixed += spare
    mixed >>= np.uint32(16)


def _turn(target: U32, amount: U32, rows: int, spare: U32, *, reverse: bool) -> None:
    """Add (or subtract) modulo rows. Of the two candidates, the smaller is the one that did not wrap around 2^32."""
    if reverse:
        target -= amount
        np.add(target, np.uint32(rows), out=spare)
    else:
        target += amount
        np.subtract(target, np.uint32(rows), out=spare)
    np.minimum(target, spare, out=target)
