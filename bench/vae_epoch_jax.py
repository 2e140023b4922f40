"""The hand-written JAX loop of `vae_epoch.py`: the whole step is one compiled function with donated buffers, Adam by hand.

    python bench/vae_epoch_jax.py TRAIN-IMAGES-IDX3-UBYTE SECONDS      (vae_epoch.py --jax PYTHON starts it, and asks for blocks)

For each line of its input it runs one block and prints the CPU milliseconds a step. One thread.
"""

import os
import sys
import time
from pathlib import Path

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np

BATCH, LATENT, PIXELS = 64, 10, 784
SIZES = {"encoder": (PIXELS, 256, 128, 2 * LATENT), "decoder": (LATENT, 128, 256, PIXELS)}


def layer(rng, inputs, outputs):
    edge = inputs**-0.5
    return [
        jnp.asarray(rng.uniform(-edge, edge, shape), jnp.float32) for shape in ((inputs, outputs), (outputs,))
    ]


def network(layers, x):
    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    return x @ layers[-1][0] + layers[-1][1]


def loss(weights, x, noise):
    mean, raw = jnp.split(network(weights["encoder"], x), 2, 1)
    std = jax.nn.softplus(raw)
    logits = network(weights["decoder"], mean + std * noise)
    bits = (jax.nn.softplus(logits) - logits * x).sum()
    kl = (0.5 * (mean**2 + std**2 - 1) - jnp.log(std)).sum()
    return (bits + 0.5 * kl) / BATCH


def step(state, x, rows):
    weights, first, second, count, key = state
    key, one, two = jax.random.split(key, 3)
    binary = jax.random.bernoulli(one, x[rows]).astype(jnp.float32)
    value, gradients = jax.value_and_grad(loss)(weights, binary, jax.random.normal(two, (BATCH, LATENT)))
    count += 1
    each = jax.tree_util.tree_map
    first = each(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = each(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    wide, rate = jnp.sqrt(1 - 0.999**count), 1e-3 / (1 - 0.9**count)
    weights = each(lambda w, m, v: w - rate * m / (jnp.sqrt(v) / wide + 1e-8), weights, first, second)
    return (weights, first, second, count, key), value


def loop(path):
    rng, compiled = np.random.default_rng(0), jax.jit(step, donate_argnums=0)
    images = np.frombuffer(Path(path).read_bytes(), np.uint8, offset=16).reshape(-1, PIXELS)
    x = jnp.asarray(images, jnp.float32) / 255
    weights = {name: [layer(rng, *pair) for pair in zip(s, s[1:], strict=False)] for name, s in SIZES.items()}
    zeros = [jax.tree_util.tree_map(jnp.zeros_like, weights) for _ in range(2)]
    state, at, order = (weights, *zeros, jnp.float32(0), jax.random.PRNGKey(0)), 0, rng.permutation(len(x))

    def train_step():
        nonlocal state, at
        at = at + BATCH if at + 2 * BATCH <= len(x) else 0
        state, value = compiled(state, x, order[at : at + BATCH])
        value.block_until_ready()

    return train_step


def milliseconds(train_step, seconds):
    begin, steps = time.process_time(), 0
    while time.process_time() - begin < seconds:
        for _ in range(16):
            train_step()
        steps += 16
    return 1000 * (time.process_time() - begin) / steps


if __name__ == "__main__":
    train_step, seconds = loop(sys.argv[1]), float(sys.argv[2])
    milliseconds(train_step, 1)
    for _ in sys.stdin:
        print(milliseconds(train_step, seconds), flush=True)
