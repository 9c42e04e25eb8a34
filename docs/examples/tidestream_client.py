"""Pushes weights to a Tidestream server, with the standard library and numpy only.

As a module:

    client = Client("http://127.0.0.1:8080", token)
    with client.update(label="step-1") as update:          # commits at the end, or gives up
        update.part(rows={"model.embed_tokens.weight": (ids, values)})
        update.part(low_rank={"model.layers.0.self_attn.q_proj.weight": (lora_A, lora_B)}, scale=0.5)
    print(update.result["version"])

As a program, an example: a training loop that pushes rows of the embedding and a LoRA, while a stream of the server follows:

    python3 tidestream_client.py --url http://127.0.0.1:8080 --token-file admin.token --steps 5 --back
"""
import argparse
import base64
import hashlib
import http.client
import json
import os
import socket
import struct
import threading
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


class Follower(threading.Thread):
    """A stream that follows the newest weights, over the server's WebSocket (RFC 6455), read at a pace: so many tokens a second."""

    def __init__(self, url, prompt, max_tokens, tokens_per_s):
        super().__init__(daemon=True)
        at = urllib.parse.urlsplit(url)
        if at.scheme == "https":
            raise SystemExit("this example follows without TLS only")
        self.prompt, self.max_tokens, self.pause_s, self.said = prompt, max_tokens, 1 / tokens_per_s, []
        self.socket = socket.create_connection((at.hostname, at.port or 80))
        self.file = self.socket.makefile("rb")
        self.socket.sendall((f"GET /v1/stream HTTP/1.1\r\nHost: {at.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Protocol: tidestream.v1\r\n\r\n").encode())
        status = self.file.readline().decode()
        if " 101 " not in status:
            raise SystemExit("no WebSocket: " + status.strip())
        while self.file.readline().strip():
            pass

    def send(self, opcode, payload):
        mask = os.urandom(4)
        head = bytes([0x80 | opcode]) + (bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload)))
        self.socket.sendall(head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)))

    def receive(self):
        """The next message that is JSON; the server sends each in one frame."""
        while True:
            opcode, length = self.file.read(2)
            if length >= 126:
                length = struct.unpack(">H" if length == 126 else ">Q", self.file.read(2 if length == 126 else 8))[0]
            payload = self.file.read(length)
            if opcode & 15 == 9:
                self.send(10, payload)
            elif opcode & 15 == 8:
                raise ConnectionError("the server has closed the connection")
            elif opcode & 15 == 1:
                return json.loads(payload)

    def run(self):
        self.send(1, json.dumps({"type": "generate", "id": "story", "prompt": self.prompt, "max_tokens": self.max_tokens, "credit": 1,
                                 "weights": "follow", "kv": "recompute", "sampling": {"temperature": 0, "logit_bias": {"0": -100}}}).encode())
        while True:
            frame = self.receive()
            if frame["type"] == "token":
                self.said.append((frame["weights_version"], frame["text"]))
                time.sleep(self.pause_s)
                self.send(1, b'{"type":"credit","id":"story","n":1}')
            elif frame["type"] in ("finished", "failed"):
                return

    def stop(self):
        """Ends the stream, unless it has ended by itself."""
        if self.is_alive():
            self.send(1, b'{"type":"cancel","id":"story"}')
            self.join()

    def versions(self):
        """What was said with each version, in order."""
        told = []
        for version, text in self.said:
            if not told or told[-1][0] != version:
                told.append((version, ""))
            told[-1] = (version, told[-1][1] + text)
        return told


class LowRank:
    """A change B A of a matrix, trained so that it becomes another one: a stand-in for what a trainer learns."""

    def __init__(self, random, outputs, inputs, rank):
        self.target = random.standard_normal((outputs, rank)) @ random.standard_normal((rank, inputs)) * (0.1 / rank**0.5)
        self.a = random.standard_normal((rank, inputs)) / inputs**0.5
        self.b = np.zeros((outputs, rank))
        self.pushed_a, self.pushed_b = self.a.copy(), self.b.copy()

    def loss(self):
        return float(np.mean((self.b @ self.a - self.target) ** 2))

    def step(self, rate):
        error = self.b @ self.a - self.target
        self.a, self.b = self.a - rate * self.b.T @ error, self.b - rate * error @ self.a.T

    def since_pushed(self):
        """What has changed since the last push, as one product: B A - B' A', of twice the rank."""
        pair = (np.concatenate([self.a, self.pushed_a]).astype(np.float32),
                np.concatenate([self.b, -self.pushed_b], axis=1).astype(np.float32))
        self.pushed_a, self.pushed_b = self.a, self.b
        return pair


def train(client, steps, hidden, layers, rank, pause_s):
    """Gradient descent on rows of the embedding and on a LoRA of the queries of all layers; every step is pushed as one version."""
    random = np.random.default_rng(1)
    rows = np.sort(random.choice(256, 16, replace=False)).astype(np.int32)
    wanted = random.standard_normal((rows.size, hidden)) * 0.02
    values = np.zeros_like(wanted)
    adapters = {f"model.layers.{layer}.self_attn.q_proj.weight": LowRank(random, hidden, hidden, rank) for layer in range(layers)}
    for step in range(1, steps + 1):
        values -= 0.3 * (values - wanted)
        for adapter in adapters.values():
            for _ in range(10):
                adapter.step(0.01)
        loss = float(np.mean((values - wanted) ** 2)) + sum(adapter.loss() for adapter in adapters.values()) / layers
        began = time.monotonic()
        with client.update(label=f"step-{step}") as update:
            update.part(rows={"model.embed_tokens.weight": (rows, BF16(values))})
            update.part(low_rank={name: adapter.since_pushed() for name, adapter in adapters.items()})
        changed = update.result["changed"]
        print(f"step {step}: loss {loss:.5f}, version {update.result['version']}, {len(changed)} tensors, {sum(changed.values())} rows, "
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
    options.add_argument("--prompt", default="Once upon a time", help="of the stream that follows")
    options.add_argument("--back", action="store_true", help="go back to the version of before in the end")
    given = options.parse_args()
    with open(given.token_file, encoding="utf-8") as file:
        client = Client(given.url, file.read().strip())
    before = client.version()
    follower = Follower(given.url, given.prompt, max_tokens=400, tokens_per_s=12)
    follower.start()
    time.sleep(given.pause)
    train(client, given.steps, given.hidden, given.layers, given.rank, given.pause)
    follower.stop()
    for version, text in follower.versions():
        print(f"[weights {version}] {text!r}")
    if given.back:
        print(f"version {client.rollback(before)} has the weights of version {before}")


if __name__ == "__main__":
    main()
