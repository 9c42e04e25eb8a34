#!/usr/bin/env python3
"""What clients that misbehave cost a client that does not. Standard library only.

    docs/lab/floods.py PORT PID [KIND ...] [--phases 5] [--seconds 4]

PORT and PID are of a running server of this machine (./tidestream serve with the starter model). In turn, a phase is quiet, and in the next one a
process of its own attacks; a well-behaved client holds one stream without end and opens one of 5 tokens ten times a second, on another
connection. Printed for each kind: p99 of the gaps between tokens of the long stream and median of the first token of the short ones, quiet and
attacked, and the resident memory of the server at the end of all phases.
"""
import argparse
import base64
import json
import multiprocessing
import os
import select
import socket
import statistics
import struct
import threading
import time


class Client:
    """A WebSocket client of tidestream.v1 (RFC 6455)."""

    def __init__(self, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: tidestream.v1\r\n\r\n").encode())
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.split(b"\r\n")[0].decode())

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        return data

    def send(self, message, opcode=1):
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        n = len(payload)
        length = bytes([128 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n) if n < 65536 else b"\xff" + struct.pack(">Q", n)
        self.socket.sendall(bytes([128 | opcode]) + length + b"\0\0\0\0" + payload)

    def generate(self, name, tokens, **more):
        self.send({"type": "generate", "id": name, "prompt": "Once upon a time", "max_tokens": tokens, **more})

    def frames(self):
        """All frames that have come, as (opcode, payload)."""
        found = []
        at = 0
        while at + 2 <= len(self.rest):
            n, start = self.rest[at + 1], at + 2
            if n == 126:
                if start + 2 > len(self.rest):
                    break
                n, start = struct.unpack_from(">H", self.rest, start)[0], start + 2
            if start + n > len(self.rest):
                break
            found.append((self.rest[at] & 15, self.rest[start:start + n]))
            at = start + n
        self.rest = self.rest[at:]
        return found

    def messages(self):
        """The next messages; answers pings."""
        self.rest += self.more()
        for opcode, payload in self.frames():
            if opcode == 9:
                self.send(payload, 10)
            elif opcode == 1:
                yield json.loads(payload)


class Victim:
    """Behaves well, and looks at the clock."""

    def __init__(self, port):
        self.port = port
        self.gaps, self.firsts, self.faults = [], [], []
        self.stopped = False
        self.threads = [threading.Thread(target=self.guard, args=(what,)) for what in (self.long, self.short)]
        for thread in self.threads:
            thread.start()

    def guard(self, what):
        try:
            what()
        except Exception as fault:  # shown with the figures: a victim that was thrown out has none
            self.faults.append(repr(fault))

    def long(self):
        client = Client(self.port)
        count, last = 0, None
        client.generate("a0", 200)
        while not self.stopped:
            for message in client.messages():
                now = time.perf_counter()
                if message["type"] == "token":
                    if last is not None:
                        self.gaps.append(now - last)
                    last = now
                elif message["type"] in ("finished", "failed"):
                    if message["type"] == "failed":
                        self.faults.append(message["code"])
                        time.sleep(0.05)
                    count, last = count + 1, None
                    client.generate(f"a{count}", 200)

    def short(self):
        client = Client(self.port)
        count = 0
        while not self.stopped:
            begin = time.perf_counter()
            client.generate(f"s{count}", 5)
            count += 1
            first, over = None, False
            while not over:
                for message in client.messages():
                    if message["type"] == "token" and first is None:
                        first = time.perf_counter() - begin
                    if message["type"] == "failed":
                        self.faults.append(message["code"])
                    over |= message["type"] in ("finished", "failed")
            if first is not None:
                self.firsts.append(first)
            time.sleep(max(0.0, 0.1 - (time.perf_counter() - begin)))

    def stop(self):
        self.stopped = True
        for thread in self.threads:
            thread.join()


def hoard(port, end):
    """16 streams that are granted nothing."""
    client = Client(port)
    for i in range(16):
        client.generate(f"h{i}", 1000, credit=0)
    drain([client], end)


def drain(clients, end):
    while time.time() < end:
        for ready in select.select([c.socket for c in clients], [], [], 0.1)[0]:
            ready.recv(65536)


def never_read(port, end):
    """200 streams whose sockets are never read."""
    clients = []
    for i in range(200):
        try:
            clients.append(Client(port, receive_buffer=4096))
            clients[-1].generate("n", 4000)
        except OSError:
            break
    while time.time() < end:
        time.sleep(0.1)


def half_open(port, end):
    """Connections that say nothing, or half of a request, as many as there is room for."""
    held = []
    while time.time() < end:
        try:
            one = socket.create_connection(("127.0.0.1", port), 0.5)
            one.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: x" if len(held) % 2 else b"")
            held.append(one)
            if len(held) > 400:
                held.pop(0).close()
        except OSError:
            time.sleep(0.01)


def slow_requests(port, end):
    """200 requests that send a byte each tenth of a second (slowloris)."""
    held = []
    while time.time() < end:
        while len(held) < 200:
            try:
                one = socket.create_connection(("127.0.0.1", port), 0.5)
                one.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\nX-A: ")
                held.append(one)
            except OSError:
                break
        for one in list(held):
            try:
                one.sendall(b"a")
            except OSError:
                held.remove(one)
        time.sleep(0.1)


def giant_frames(port, end):
    """Messages of 8 MiB, and frames that say they have 1 TiB."""
    while time.time() < end:
        try:
            client = Client(port)
            client.socket.sendall(b"\x81\xff" + struct.pack(">Q", 1 << 40) + b"\0\0\0\0" + b"x" * 65536)
            client.socket.close()
            client = Client(port)
            client.send(b'{"type":"generate","id":"' + b"x" * (8 << 20) + b'"}')
            client.socket.close()
        except OSError:
            pass


def cancelled(port, end):
    """Streams that are cancelled as soon as they are asked for; 50,000 in all phases together, and more."""
    while time.time() < end:
        client = Client(port)
        for i in range(500):
            if time.time() > end:
                break
            client.generate(f"c{i}", 1000)
            client.send({"type": "cancel", "id": f"c{i}"})
            if i % 10 == 9:
                try:
                    list(client.messages())
                except OSError:
                    break
        client.socket.close()


KINDS = {"hoard": hoard, "never-read": never_read, "half-open": half_open, "slow-requests": slow_requests, "giant-frames": giant_frames,
         "cancelled": cancelled}


def resident_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


def phase(port, seconds, attack):
    end = time.time() + seconds
    attacker = multiprocessing.Process(target=attack, args=(port, end)) if attack else None
    if attacker:
        attacker.start()
        time.sleep(0.3)
    victim = Victim(port)
    time.sleep(max(0.0, end - time.time()))
    victim.stop()
    if attacker:
        attacker.join(5)
        attacker.terminate()
    gaps = sorted(victim.gaps)
    tokens = len(gaps)
    return (1000 * gaps[int(0.99 * (tokens - 1))] if gaps else float("nan"),
            1000 * statistics.median(victim.firsts) if victim.firsts else float("nan"), tokens / seconds, victim.faults)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("pid", type=int)
    parser.add_argument("kinds", nargs="*", help="of: " + ", ".join(KINDS))
    parser.add_argument("--phases", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    phase(options.port, options.seconds, None)  # warms up
    print(f"{'kind':14} {'gap p99 ms':>22} {'first token ms':>22} {'tokens/s':>20}  RSS MiB (start {resident_mib(options.pid)})")
    for kind in options.kinds or KINDS:
        quiet, attacked, faults = [], [], []
        for _ in range(options.phases):
            quiet.append(phase(options.port, options.seconds, None))
            attacked.append(phase(options.port, options.seconds, KINDS[kind]))
            faults += quiet[-1][3] + attacked[-1][3]
        cells = []
        for figure in range(3):
            a, b = (statistics.median(p[figure] for p in side) for side in (quiet, attacked))
            cells.append(f"{a:7.1f} -> {b:6.1f} {b / a if a else float('nan'):4.2f}x")
        print(f"{kind:14} {cells[0]:>22} {cells[1]:>22} {cells[2]:>20}  {resident_mib(options.pid)}"
              + (f"  faults: {sorted(set(faults))}" if faults else ""), flush=True)


if __name__ == "__main__":
    main()
