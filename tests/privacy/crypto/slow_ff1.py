"""FF1 as the standard writes it, a text at a time with Python's integers: slow, to compare with."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def _aes(key, block):
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def _prf(key, data):
    state = bytes(16)
    for at in range(0, len(data), 16):
        state = _aes(key, bytes(a ^ b for a, b in zip(state, data[at : at + 16], strict=True)))
    return state


def _number(digits, radix):
    value = 0
    for digit in digits:
        value = value * radix + digit
    return value


def _digits(value, radix, count):
    digits = []
    for _ in range(count):
        value, digit = divmod(value, radix)
        digits.append(digit)
    return digits[::-1]


def encrypt(text, key, tweak, alphabet):
    """Algorithm 7 of NIST SP 800-38G."""
    radix, n = len(alphabet), len(text)
    u, v = n // 2, n - n // 2
    b = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * -(-b // 4) + 4
    left, right = ([alphabet.index(c) for c in part] for part in (text[:u], text[u:]))
    p = bytes([1, 2, 1]) + radix.to_bytes(3) + bytes([10, u % 256])
    p += n.to_bytes(4) + len(tweak).to_bytes(4)
    for i in range(10):
        q = tweak + bytes((-len(tweak) - b - 1) % 16) + bytes([i])
        r = _prf(key, p + q + _number(right, radix).to_bytes(b))
        s = r
        for j in range(1, -(-d // 16)):
            s += _aes(key, bytes(x ^ y for x, y in zip(r, j.to_bytes(16), strict=True)))
        m = v if i % 2 else u
        c = (_number(left, radix) + int.from_bytes(s[:d])) % radix**m
        left, right = right, _digits(c, radix, m)
    return "".join(alphabet[digit] for digit in left + right)
