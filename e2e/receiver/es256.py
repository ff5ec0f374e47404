"""Signatures of ES256 (RFC 7518, Section 3.4), from the definition of ECDSA in
FIPS 186-5. It is not written to be fast, nor to keep a secret."""
import hashlib

P = 2**256 - 2**224 + 2**192 + 2**96 - 1  # of the field
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the group
A, B = -3, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def add(p, q):
    """The sum of two points. None is the point at infinity."""
    if p is None or q is None:
        return p or q
    if p[0] != q[0]:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    elif p[1] == q[1] != 0:
        slope = (3 * p[0] ** 2 + A) * pow(2 * p[1], -1, P)
    else:
        return None
    x = (slope**2 - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def times(k, p):
    total = None
    while k:
        if k & 1:
            total = add(total, p)
        k, p = k >> 1, add(p, p)
    return total


def verify(x, y, message, signature):
    """Whether the signature of the message is by the key with these coordinates."""
    on_curve = 0 <= x < P and 0 <= y < P and (y**2 - x**3 - A * x - B) % P == 0
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not on_curve or len(signature) != 64 or not 0 < r < N or not 0 < s < N:
        return False
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    inverse = pow(s, -1, N)
    point = add(times(digest * inverse % N, G), times(r * inverse % N, (x, y)))
    return point is not None and point[0] % N == r
