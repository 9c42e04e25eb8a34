"""Writes gradients.txt: gradients of a small LLaMA, for GoldenGradientTest. Needs numpy only.

    python3 gradients.py > gradients.txt

There is no derivative in here. A forward pass in complex numbers gives them: f(x + ih) has the imaginary part h f'(x), exactly but for
h squared, and h may be 1e-40, since nothing is subtracted (Squire and Trapp, "Using complex variables to estimate derivatives of real
functions", SIAM Review 1998). So the values are right to the last digits of float64, and nothing is shared with the code that is tested:
weights come of a formula, and the network is written from its papers.
"""
import sys

import numpy as np

HIDDEN, LAYERS, FEED_FORWARD, HEADS, KV_HEADS, HEAD_DIM, VOCABULARY, RANK, ALPHA = 32, 2, 48, 4, 2, 8, 48, 2, 6
EPS = float(np.float32(1e-5))  # in float32, as files have it
SCALE = float(np.float32(1 / np.sqrt(HEAD_DIM)))  # as the server has it
TRAINED_ROWS = [3, 5, 11, 40]
BATCH = [[3, 7, 11, 3, 20, 5], [5, 9, 40, 12, 13, 14, 47, 5]]
STEP = 1e-40
EVERY = 5  # of the elements of each parameter
TARGETS = [("q_proj", "self_attn", HEADS * HEAD_DIM, HIDDEN), ("k_proj", "self_attn", KV_HEADS * HEAD_DIM, HIDDEN),
           ("v_proj", "self_attn", KV_HEADS * HEAD_DIM, HIDDEN), ("o_proj", "self_attn", HIDDEN, HEADS * HEAD_DIM),
           ("gate_proj", "mlp", FEED_FORWARD, HIDDEN), ("up_proj", "mlp", FEED_FORWARD, HIDDEN), ("down_proj", "mlp", HIDDEN, FEED_FORWARD)]


def numbers(salt, count, size):
    """Numbers in -size/2..size/2 that any language can make: all is exact but for one rounding to float32."""
    index = np.arange(count, dtype=np.uint64) + np.uint64(salt * 1000003)
    mixed = (index * np.uint64(2654435761)) % np.uint64(1 << 32)
    return ((mixed / 2.0**32 - 0.5) * size).astype(np.float32).astype(np.float64)


def matrix(salt, rows, columns, size=0.5):
    return numbers(salt, rows * columns, size).reshape(rows, columns)


def parameters():
    """By name, in the order of layers; the salts are those of the test."""
    found, salt = {}, 100
    for layer in range(LAYERS):
        for target, block, rows, columns in TARGETS:
            name = f"model.layers.{layer}.{block}.{target}."
            found[name + "lora_A.weight"] = matrix(salt, RANK, columns)
            found[name + "lora_B.weight"] = matrix(salt + 1, rows, RANK)
            salt += 2
    found["token_embd.weight"] = matrix(1, VOCABULARY, HIDDEN, 2.0)[TRAINED_ROWS]
    return {name: values.astype(complex) for name, values in found.items()}


def norm(x, salt):
    weight = (1 + numbers(salt, HIDDEN, 0.5)).astype(np.float32).astype(float)
    return weight * x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPS)


def rotated(x):
    """Neighbouring pairs, by the angle position * 10000^(-2i/d); cosines and sines rounded to float32, as the server has them."""
    out = x.copy()
    for i in range(0, HEAD_DIM, 2):
        angle = np.arange(x.shape[0]) * 10000.0 ** (-i / HEAD_DIM)
        cos, sin = np.float32(np.cos(angle)).astype(float)[:, None], np.float32(np.sin(angle)).astype(float)[:, None]
        even, odd = x[:, :, i], x[:, :, i + 1]
        out[:, :, i], out[:, :, i + 1] = even * cos - odd * sin, even * sin + odd * cos
    return out


def softmax(x):
    e = np.exp(x - np.max(x.real, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def loss(tokens, trained, tied):
    def linear(x, layer, target, salt):
        block, rows, columns = next((b, r, c) for t, b, r, c in TARGETS if t == target)
        name = f"model.layers.{layer}.{block}.{target}."
        low = trained[name + "lora_B.weight"] @ trained[name + "lora_A.weight"] * (ALPHA / RANK)
        return x @ (matrix(salt, rows, columns) + low).T

    embedding = matrix(1, VOCABULARY, HIDDEN, 2.0).astype(complex)
    embedding[TRAINED_ROWS] = trained["token_embd.weight"]
    head = embedding if tied else matrix(2, VOCABULARY, HIDDEN, 2.0)
    count = len(tokens) - 1
    x = embedding[tokens[:-1]]
    for layer in range(LAYERS):
        salt = 10 + 20 * layer
        h = norm(x, salt)
        q = rotated(linear(h, layer, "q_proj", salt + 1).reshape(count, HEADS, HEAD_DIM))
        k = rotated(linear(h, layer, "k_proj", salt + 2).reshape(count, KV_HEADS, HEAD_DIM))
        v = linear(h, layer, "v_proj", salt + 3).reshape(count, KV_HEADS, HEAD_DIM)
        heads = []
        for n in range(HEADS):
            group = n // (HEADS // KV_HEADS)
            scores = q[:, n] @ k[:, group].T * SCALE
            scores[np.triu_indices(count, 1)] = -np.inf
            heads.append(softmax(scores) @ v[:, group])
        x = x + linear(np.concatenate(heads, axis=1), layer, "o_proj", salt + 4)
        h = norm(x, salt + 5)
        gate = linear(h, layer, "gate_proj", salt + 6)
        x = x + linear(gate / (1 + np.exp(-gate)) * linear(h, layer, "up_proj", salt + 7), layer, "down_proj", salt + 8)
    logits = norm(x, 3) @ head.T
    return -np.sum(np.log(softmax(logits)[np.arange(count), tokens[1:]]))


def mean_loss(trained, tied):
    return sum(loss(tokens, trained, tied) for tokens in BATCH) / sum(len(tokens) - 1 for tokens in BATCH)


def main():
    for tied in (True, False):
        word = "tied" if tied else "untied"
        trained = parameters()
        print(word, "loss", 0, repr(float(mean_loss(trained, tied).real)))
        for name, values in trained.items():
            for at in range(0, values.size, EVERY):
                kept = values.flat[at]
                values.flat[at] = kept + STEP * 1j
                print(word, name, at, repr(float(mean_loss(trained, tied).imag / STEP)))
                values.flat[at] = kept


if __name__ == "__main__":
    sys.exit(main())
