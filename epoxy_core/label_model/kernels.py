"""Loops over items and over distinct rows of votes, compiled."""

import numba
import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@numba.njit(cache=True, nogil=True)
def number_codes(codes, numbers):
    """Number distinct codes in the order in which they first appear.

    Parameters
    ----------
    codes
        int64 [n].
    numbers
        int32 [n], written: each code's number.

    Returns
    -------
    known
        int64 [p], the distinct codes.
    counts
        int64 [p], how often it does.
    """
    bits, p = 12, 0
    table = np.full(1 << bits, -1, np.int32)
    capacity = 1 << (bits - 1)
    known, counts = np.empty(capacity, np.int64), np.zeros(capacity, np.int64)
    for row in range(len(codes)):
        code, mask = codes[row], len(table) - 1
        place = np.int64((np.uint64(code) * _GOLDEN) >> np.uint64(64 - bits))
        number = table[place]
        while number >= 0 and known[number] != code:
            place = (place + 1) & mask
            number = table[place]
        if number < 0:
            if p == capacity:
                bits += 2
                capacity, mask = 1 << (bits - 1), (1 << bits) - 1
                known = np.append(known, np.empty(capacity - p, np.int64))
                counts = np.append(counts, np.zeros(capacity - p, np.int64))
                table = np.full(1 << bits, -1, np.int32)
                for other in range(p):
                    place = np.int64((np.uint64(known[other]) * _GOLDEN) >> np.uint64(64 - bits))
                    while table[place] >= 0:
                        place = (place + 1) & mask
                    table[place] = other
                place = np.int64((np.uint64(code) * _GOLDEN) >> np.uint64(64 - bits))
                while table[place] >= 0:
                    place = (place + 1) & mask
            number = np.int32(p)
            table[place] = number
            known[p] = code
            p += 1
        counts[number] += 1
        numbers[row] = number
    return known[:p], counts[:p]


@numba.njit(cache=True, nogil=True)
def count_codes(codes, counts):
    """Add up how often each code, int32 [n], appears, in int64 [size]."""
    for code in codes:
        counts[code] += 1


@numba.njit(cache=True, nogil=True)
def look_up(ranks, numbers, first, last, result):
    """``ranks[numbers]``, int32 each, in rows ``first`` to ``last`` of the result."""
    for row in range(first, last):
        result[row] = ranks[numbers[row]]


@numba.njit(cache=True, nogil=True)
def score(codes, table, start, scores):
    """Add up what votes and silence add to each class; the highest score of a row becomes 0.

    Parameters
    ----------
    codes
        int16 [p, g], what each group of LFs does.
    table
        float64 [g, s, K], what that adds.
    start
        float64 [K], added to.
    scores
        float64 [p, K], written.
    """
    k, groups = len(start), codes.shape[1]
    for row in range(len(codes)):
        highest = -np.inf
        for c in range(k):
            total = start[c]
            for group in range(groups):
                total += table[group, codes[row, group], c]
            scores[row, c] = total
            highest = max(highest, total)
        for c in range(k):
            scores[row, c] -= highest


@numba.njit(cache=True, nogil=True)
def normalize(values):
    """Divide each row of float64 [p, K] by its sum."""
    for row in range(len(values)):
        total = 0.0
        for c in range(values.shape[1]):
            total += values[row, c]
        share = 1 / total
        for c in range(values.shape[1]):
            values[row, c] *= share


@numba.njit(cache=True, nogil=True)
def count_by_class(codes, counts, posterior, seen):
    """Count what each group of LFs does by class, each row with its probabilities.

    Parameters
    ----------
    codes
        int16 [p, g], what each group of LFs does.
    counts
        int64 [p], how often each row occurs.
    posterior
        float64 [p, K].
    seen
        float64 [g, s, K], added to.
    """
    k, groups = posterior.shape[1], codes.shape[1]
    for row in range(len(codes)):
        for c in range(k):
            mass = posterior[row, c] * counts[row]
            for group in range(groups):
                seen[group, codes[row, group], c] += mass


@numba.njit(cache=True, nogil=True)
def _share_out(scores, weight, tie, seen):
    """Add a weight to the class with the highest score; classes that tie share it."""
    highest, ties = scores.max(), 0
    for score_of in scores:
        ties += score_of >= highest - tie
    for c in range(len(scores)):
        if scores[c] >= highest - tie:
            seen[c] += weight / ties


@numba.njit(cache=True, nogil=True)
def say_without(patterns, counts, table, left_out, least, tie, seen):
    """Count what the others' votes say where an LF casts a symbol.

    Parameters
    ----------
    patterns
        int8 [p, m], rows of votes.
    counts
        int64 [p], how often each occurs.
    table
        float64 [m, S + 1, K], what is added to a class: by silence, then by each symbol.
    left_out
        int64 [m, w]: who is left out for each LF; −1 after the last.
    least
        Rows with fewer votes are left out.
    tie
        Scores of classes that differ by no more are the same: they share a row.
    seen
        float64 [m, S + 1, K], added to: rows by the LF's symbol (silence first) and by the class
        that is the most probable one without the LF.
    """
    m, k = patterns.shape[1], table.shape[2]
    total, rest = np.empty(k), np.empty(k)
    for row in range(len(patterns)):
        total[:] = 0
        votes = 0
        for lf in range(m):
            symbol = patterns[row, lf] + 1
            votes += symbol > 0
            for c in range(k):
                total[c] += table[lf, symbol, c]
        if votes < least:
            continue
        for lf in range(m):
            rest[:] = total
            for other in left_out[lf]:
                if other < 0:
                    break
                symbol = patterns[row, other] + 1
                for c in range(k):
                    rest[c] -= table[other, symbol, c]
            _share_out(rest, counts[row], tie, seen[lf, patterns[row, lf] + 1])
