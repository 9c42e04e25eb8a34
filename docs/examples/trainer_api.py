"""A trainer's side of `tidestream serve --trainer-api`, with the standard library and numpy: what TRL and verl call of an inference server.

    tidestream serve --data-dir versions --admin-token-file admin.token --trainer-api
    python3 docs/examples/trainer_api.py --token-file admin.token --steps 3

The calls are vLLM's: pause, start, update once or more, finish, resume. Here they make one durable version of a step, and streams go on: a
pause of mode keep is there for trainers that want one. Put `InferenceServer` where your trainer has its client of vLLM.
"""
import argparse
import base64
import json
import urllib.error
import urllib.parse
import urllib.request

import numpy as np


class InferenceServer:
    """One server, as a trainer sees it. Not for several threads at once."""

    def __init__(self, url, token, bucket_bytes=512 << 10, timeout_s=600):
        self.url, self.token, self.bucket_bytes, self.timeout_s = url.rstrip("/"), token, bucket_bytes, timeout_s

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"authorization": "Bearer " + self.token}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            raise RuntimeError(f"{path}: {refused.code} {refused.read().decode()}") from None

    def version(self):
        """What the version is called that new streams get."""
        return self.call("GET", "/weight_info")["weight_version"]

    def update_weights(self, named_tensors, weight_version):
        """All of these tensors, names as Hugging Face has them, become one version. The server's number of it."""
        self.call("POST", "/pause?" + urllib.parse.urlencode({"mode": "keep"}))
        try:
            self.call("POST", "/start_weight_update", {})
            bucket, size = [], 0
            for name, tensor in named_tensors:
                tensor = np.ascontiguousarray(tensor, dtype="<f4")
                if bucket and size + tensor.nbytes > self.bucket_bytes:
                    self.send(bucket)
                    bucket, size = [], 0
                bucket.append((name, tensor))
                size += tensor.nbytes
            if bucket:
                self.send(bucket)
            return self.call("POST", "/finish_weight_update", {"weight_version": weight_version})["weights_version"]
        finally:
            self.call("POST", "/resume", {})

    def send(self, bucket):
        """Tensors in the request itself: for those that fit a body. Larger ones: files in --trainer-dir, {"files": [...]}."""
        self.call("POST", "/update_weights", {"update_info": {
            "backend": "http_safetensors",
            "names": [name for name, _ in bucket],
            "dtype_names": ["float32"] * len(bucket),
            "shapes": [list(tensor.shape) for _, tensor in bucket],
            "data": base64.b64encode(b"".join(tensor.tobytes() for _, tensor in bucket)).decode()}})

    def update_weights_from_disk(self, path, weight_version):
        """The same from a directory of safetensors files that the server sees, as verl does with SGLang."""
        return self.call("POST", "/update_weights_from_disk", {"model_path": path, "weight_version": weight_version})["weights_version"]


def policy(step, hidden, layers):
    """Stands for a trainer's model: norms of all layers, which move a little with every step."""
    random = np.random.default_rng(step)
    for layer in range(layers):
        yield f"model.layers.{layer}.input_layernorm.weight", 1 + 0.02 * random.standard_normal(hidden)
        yield f"model.layers.{layer}.post_attention_layernorm.weight", 1 + 0.02 * random.standard_normal(hidden)


def main():
    options = argparse.ArgumentParser(description="Pushes made-up training steps by vLLM's calls.")
    options.add_argument("--url", default="http://127.0.0.1:8080")
    options.add_argument("--token-file", required=True)
    options.add_argument("--steps", type=int, default=3)
    options.add_argument("--hidden", type=int, default=256, help="hidden size of the model (256: the embedded one)")
    options.add_argument("--layers", type=int, default=6)
    given = options.parse_args()
    with open(given.token_file, encoding="utf-8") as file:
        server = InferenceServer(given.url, file.read().strip())
    print("before:", server.version())
    for step in range(1, given.steps + 1):
        number = server.update_weights(policy(step, given.hidden, given.layers), f"step {step}")
        print(f"step {step}: version {number}, called {server.version()!r}")


if __name__ == "__main__":
    main()
