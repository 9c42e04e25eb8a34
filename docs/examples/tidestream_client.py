"""Pushes weights to a Tidestream server, with the standard library and numpy only.

As a module:

    client = Client("http://127.0.0.1:8080", token)
    with client.update(label="step-1") as update:          # commits at the end, or gives up
        update.part(rows={"model.embed_tokens.weight": (ids, values)})
        update.part(low_rank={"model.layers.0.self_attn.q_proj.weight": (lora_A, lora_B)}, scale=0.5)
    print(update.result["version"])

As a program, an example: a loop that pushes rows and a LoRA, as a trainer would, while you follow a stream of the server
(docs/examples/follow.mjs):

    python3 tidestream_client.py --url http://127.0.0.1:8080 --token-file admin.token --steps 5
"""
import argparse
import hashlib
import http.client
import json
import struct
import time
import urllib.parse
import uuid

import numpy as np

DTYPES = {"float32": "F32", "float16": "F16", "int32": "I32", "int64": "I64", "uint16": "U16"}


class Refused(Exception):
    """What the server has refused: its code, e.g. base_version_conflict, and the whole answer."""

    def __init__(self, status, answer):
        error = answer.get("error", {})
        super().__init__(f"{status} {error.get('code')}: {error.get('message')}")
        self.status = status
        self.code = error.get("code")
        self.answer = answer


class BF16:
    """Values to be sent as bfloat16, which numpy does not have: rounded to nearest even."""

    def __init__(self, values):
        bits = np.ascontiguousarray(values, dtype="<f4").view(np.uint32)
        self.bits = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
        self.shape = self.bits.shape


def safetensors(tensors, metadata):
    """A safetensors file: tensors by name, as numpy arrays or BF16."""
    header, data, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        if isinstance(tensor, BF16):
            dtype, raw = "BF16", tensor.bits.tobytes()
        else:
            tensor = np.asarray(tensor)
            dtype = DTYPES[tensor.dtype.name]
            raw = np.ascontiguousarray(tensor, dtype=tensor.dtype.newbyteorder("<")).tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [offset, offset + len(raw)]}
        data.append(raw)
        offset += len(raw)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(data)


class Client:
    """One server; not for several threads at once."""

    def __init__(self, url, token, timeout_s=600):
        self.url = urllib.parse.urlsplit(url)
        self.token = token
        self.timeout_s = timeout_s

    def request(self, method, path, body=None, headers=None):
        """Asks, and gives the answer; tries again when the connection breaks or the server is busy, for every request may come twice."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        for attempt in range(8):
            kind = http.client.HTTPSConnection if self.url.scheme == "https" else http.client.HTTPConnection
            connection = kind(self.url.hostname, self.url.port, timeout=self.timeout_s)
            try:
                connection.request(method, "/admin/weights/" + path, body, {"authorization": "Bearer " + self.token, **(headers or {})})
                response = connection.getresponse()
                text = response.read()
                if response.status == 503 and attempt < 7:
                    time.sleep(float(response.headers.get("retry-after", 1)))
                    continue
                answer = json.loads(text) if text else {}
                if response.status >= 400:
                    raise Refused(response.status, answer)
                return answer
            except (ConnectionError, http.client.HTTPException, TimeoutError):
                if attempt == 7:
                    raise
                time.sleep(0.2 * 2**attempt)
            finally:
                connection.close()

    def version(self):
        """The version that is served."""
        return self.request("GET", "versions?limit=1")["current"]

    def versions(self, first=1):
        return self.request("GET", f"versions?from={first}")["versions"]

    def verify(self, version):
        return self.request("POST", f"versions/{version}/verify")

    def rollback(self, version):
        return self.request("POST", "rollback", {"to": version})["version"]

    def publish(self, version):
        """Makes a version that is held the one that new streams get."""
        return self.request("POST", "publish", {"version": version})["changed"]

    def update(self, label="", base_version=None, tied=None, update_id=None, hold=False):
        """An update of many tensors, which becomes one version; one that is held waits to be published."""
        return Update(self, label, self.version() if base_version is None else base_version, tied, update_id or "py-" + uuid.uuid4().hex,
                      hold)


class Update:
    """Opened when it is made; commits at the end of a with block that ends well, is given up otherwise."""

    def __init__(self, client, label, base_version, tied, update_id, hold=False):
        self.client, self.id, self.parts, self.result = client, update_id, [], None
        opening = {"update_id": update_id, "base_version": base_version, "label": label, "publish": "hold" if hold else "auto"}
        state = client.request("POST", "updates", opening if tied is None else {**opening, "tied": tied})
        self.kept = {part["part"]: part["sha256"] for part in state.get("parts", [])}
        self.committed = state["state"] == "committed"  # earlier, by this name: commit() says whether with the same parts

    def part(self, full=None, rows=None, sparse=None, xor=None, low_rank=None, scale=1.0):
        """Sends a part: dicts by names of tensors. rows and sparse: (numbers, values); xor: bits as uint16; low_rank: (lora_A, lora_B)."""
        tensors, metadata = {}, {}
        for name, value in (full or {}).items():
            tensors[name], metadata["kind." + name] = value, "full"
        for name, value in (xor or {}).items():
            tensors[name], metadata["kind." + name] = value, "xor"
        for kind, suffixes, changes in (("rows", (".rows", ".values"), rows), ("sparse", (".indices", ".values"), sparse),
                                        ("lowrank", (".lora_A", ".lora_B"), low_rank)):
            for name, pair in (changes or {}).items():
                metadata["kind." + name] = kind
                for suffix, value in zip(suffixes, pair):
                    tensors[name + suffix] = value
        self.file(safetensors(tensors, {**metadata, "scale": repr(float(scale))}))

    def file(self, body):
        """Sends the bytes of a safetensors file as a part, unless they are there already."""
        sha256 = hashlib.sha256(body).hexdigest()
        number = len(self.parts)
        if not self.committed and self.kept.get(number) != sha256:
            self.client.request("PUT", f"updates/{self.id}/parts/{number}", body, {"x-content-sha256": sha256})
        self.parts.append(sha256)

    def commit(self):
        lines = "".join(f"{number} {sha256}\n" for number, sha256 in enumerate(self.parts))
        self.result = self.client.request("POST", f"updates/{self.id}/commit", {
            "parts": len(self.parts), "manifest_sha256": hashlib.sha256(lines.encode()).hexdigest()})
        return self.result

    def abort(self):
        self.client.request("POST", f"updates/{self.id}/abort")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.abort()
            return
        try:
            self.commit()
        except Refused:
            self.abort()  # only a few may be open at once
            raise


def train(client, steps, hidden, layers, rank, pause_s):
    """Stands for a trainer: each step moves a few rows of the embedding, and a low-rank product in the queries of all layers."""
    random = np.random.default_rng(1)
    rows = random.choice(256, 16, replace=False).astype(np.int32)
    values = random.standard_normal((rows.size, hidden)).astype(np.float32) * 0.02
    for step in range(1, steps + 1):
        values += random.standard_normal(values.shape).astype(np.float32) * 0.002
        a = random.standard_normal((rank, hidden)).astype(np.float32) * 0.02
        began = time.monotonic()
        with client.update(label=f"step-{step}") as update:
            update.part(rows={"model.embed_tokens.weight": (rows, BF16(values))})
            update.part(low_rank={
                f"model.layers.{layer}.self_attn.q_proj.weight": (a, random.standard_normal((hidden, rank)).astype(np.float32) * 0.02)
                for layer in range(layers)}, scale=0.5)
        changed = update.result["changed"]
        print(f"step {step}: version {update.result['version']}, {len(changed)} tensors, {sum(changed.values())} rows, "
              f"{(time.monotonic() - began) * 1000:.0f} ms")
        time.sleep(pause_s)


def main():
    options = argparse.ArgumentParser(description="Pushes made-up training steps to a running server.")
    options.add_argument("--url", default="http://127.0.0.1:8080")
    options.add_argument("--token-file", required=True)
    options.add_argument("--steps", type=int, default=5)
    options.add_argument("--hidden", type=int, default=256, help="hidden size of the model (256: the embedded one)")
    options.add_argument("--layers", type=int, default=6)
    options.add_argument("--rank", type=int, default=4)
    options.add_argument("--pause", type=float, default=1.0, help="seconds between two steps")
    options.add_argument("--back", action="store_true", help="go back to the version of before in the end")
    given = options.parse_args()
    with open(given.token_file, encoding="utf-8") as file:
        client = Client(given.url, file.read().strip())
    before = client.version()
    train(client, given.steps, given.hidden, given.layers, given.rank, given.pause)
    if given.back:
        print(f"version {client.rollback(before)} has the weights of version {before}")


if __name__ == "__main__":
    main()
