"""Milliseconds that JAX (XLA) takes for a training step of the tutorial network, as one jitted function.

    python step_jax.py [--steps 60]

The network, loss, optimizer and batch are those of step_torch.py, in JAX's usual layout, channels last. The loss is
read after every step. Prints one line of JSON.
"""
import argparse
import json
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

p = argparse.ArgumentParser()
p.add_argument("--steps", type=int, default=60)
args = p.parse_args()
rng = np.random.default_rng(0)


def layer(*shape):
    bound = 1 / np.sqrt(np.prod(shape[:-1]))
    return {"w": rng.uniform(-bound, bound, shape).astype(np.float32),
            "b": rng.uniform(-bound, bound, shape[-1]).astype(np.float32)}


params = {"conv": [layer(5, 5, 3, 32), layer(5, 5, 32, 32), layer(5, 5, 32, 64)],
          "linear": [layer(1024, 64), layer(64, 10)]}


def forward(params, x):
    for p in params["conv"]:
        x = lax.conv_general_dilated(x, p["w"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + p["b"]
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    x = x.reshape(len(x), -1)
    for p in params["linear"]:
        x = x @ p["w"] + p["b"]
    return x


def loss_fn(params, x, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(forward(params, x)), y[:, None], axis=1).mean()


@jax.jit
def step(params, x, y):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    return jax.tree.map(lambda p, g: p - 0.01 * g, params, grads), loss


x = jax.device_put(rng.random((64, 32, 32, 3), dtype=np.float32))
y = jax.device_put(rng.integers(0, 10, 64))
for _ in range(10):
    params, loss = step(params, x, y)
    loss.item()
times, before = [], time.process_time()
for _ in range(args.steps):
    start = time.perf_counter()
    params, loss = step(params, x, y)
    loss.item()
    times.append(1000 * (time.perf_counter() - start))
used = time.process_time() - before
print(json.dumps({"version": jax.__version__, "device": jax.default_backend(), "ms": times, "cpu": 1000 * used / args.steps}))
