#!/usr/bin/env python3
"""What clients that misbehave cost a client that does not. Standard library only.

    docs/lab/floods.py PORT PID [KIND ...] [--phases 5] [--seconds 4]

PORT and PID are of a running server of this machine (./tidestream serve with the starter model). In turn, a phase is quiet,
and in the next one a process of its own attacks; a well-behaved client holds one stream without end and opens one of 5 tokens
ten times a second, on another connection. Printed for each kind: p99 of the gaps between tokens of the long stream, median of
the first token of the short ones and tokens per second of the long one, quiet and attacked (medians of the phases; inf: none
came), and the resident memory of the server at the end of all phases. Below it stands what the attackers did, all phases
together: an attack that the server turns away and one that never took place are not the same. The exit code is 1 if an
attacker failed or had to be ended.
"""
import argparse
import base64
import collections
import contextlib
import json
import math
import multiprocessing
import os
import select
import socket
import statistics
import struct
import sys
import threading
import time

PATIENCE_S = 10  # for a connection, an answer to the handshake, and room to send
LEAD_S = 0.3  # an attack begins so long before the victim looks at the clock
FILLING_S = 45  # until 200 sockets that nobody reads are full: what is generated for them before is work like any other's
ATTACKERS = "127.0.0.2"  # their address: limits of one address are to meet them alone
CANCELLED_PER_S = 2_500  # a process that asks without a pause takes one of two cores, and what it costs is not the server's doing
CONNECTIONS_PER_S = 1_000  # likewise


class Client:
    """A WebSocket client of tidestream.v1 (RFC 6455); closes its socket at the end of a with statement."""

    def __init__(self, port, receive_buffer=None, address=ATTACKERS):
        self.socket = socket.socket()
        self.socket.bind((address, 0))
        self.rest = b""
        try:
            self.open(port, receive_buffer)
        except BaseException:
            self.socket.close()
            raise

    def open(self, port, receive_buffer):
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Protocol: tidestream.v1\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.split(b"\r\n")[0].decode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed by the server")
        return data

    def send(self, message, opcode=1):
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        n = len(payload)
        if n < 126:
            length = bytes([128 | n])
        else:
            length = b"\xfe" + struct.pack(">H", n) if n < 65536 else b"\xff" + struct.pack(">Q", n)
        self.socket.sendall(bytes([128 | opcode]) + length + b"\0\0\0\0" + payload)

    def generate(self, name, tokens, **more):
        self.send({"type": "generate", "id": name, "prompt": "Once upon a time", "max_tokens": tokens, **more})

    def frames(self):
        """All frames that have come whole, as (opcode, payload)."""
        found = []
        at = 0
        while at + 2 <= len(self.rest):
            n, start = self.rest[at + 1], at + 2
            if n >= 126:
                form, size = (">H", 2) if n == 126 else (">Q", 8)
                if start + size > len(self.rest):
                    break
                n, start = struct.unpack_from(form, self.rest, start)[0], start + size
            if start + n > len(self.rest):
                break
            found.append((self.rest[at] & 15, self.rest[start:start + n]))
            at = start + n
        self.rest = self.rest[at:]
        return found

    def messages(self):
        """The next messages, none if nothing comes for 0.1 s; answers pings."""
        if not select.select([self.socket], [], [], 0.1)[0]:
            return
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
        self.tokens, self.seconds = 0, 0.0
        self.stopped = False
        self.begin = time.perf_counter()
        self.threads = [threading.Thread(target=self.guard, args=(what,)) for what in (self.long, self.short)]
        for thread in self.threads:
            thread.start()

    def guard(self, what):
        try:
            with Client(self.port, address="127.0.0.1") as client:
                what(client)
        except Exception as fault:  # shown with the figures: a victim that was thrown out has fewer of them
            self.faults.append(repr(fault))

    def long(self, client):
        count, last = 0, None
        client.generate("a0", 200)
        while not self.stopped:
            for message in client.messages():
                now = time.perf_counter()
                if message["type"] == "token":
                    if last is not None:
                        self.gaps.append(now - last)
                    last = now
                    self.tokens += 1
                elif message["type"] in ("finished", "failed"):
                    if message["type"] == "failed":
                        self.faults.append(message["code"])
                        time.sleep(0.05)
                    count, last = count + 1, None
                    client.generate(f"a{count}", 200)
        if last is not None:
            self.gaps.append(time.perf_counter() - last)  # the stream may have stood still until the end

    def short(self, client):
        count = 0
        while not self.stopped:
            begin = time.perf_counter()
            client.generate(f"s{count}", 5)
            count += 1
            first, over = None, False
            while not over and not self.stopped:
                for message in client.messages():
                    if message["type"] == "token" and first is None:
                        first = time.perf_counter() - begin
                    if message["type"] == "failed":
                        self.faults.append(message["code"])
                    over |= message["type"] in ("finished", "failed")
            if first is not None or not over:
                self.firsts.append(first if first is not None else time.perf_counter() - begin)  # it waits still
            time.sleep(max(0.0, 0.1 - (time.perf_counter() - begin)))

    def stop(self):
        self.seconds = time.perf_counter() - self.begin
        self.stopped = True
        for thread in self.threads:
            thread.join()


# The attacks. Each goes on until the end of its phase, whatever the server does, counts what it did, and closes its sockets.


def connect(port, held):
    held.append(socket.create_connection(("127.0.0.1", port), 0.5, (ATTACKERS, 0)))
    return held[-1]


def close(held):
    for one in held:
        one.close()


def wait(end):
    time.sleep(max(0.0, end - time.monotonic()))


def hoard(port, end, did):
    """16 streams that are granted nothing."""
    while time.monotonic() < end:
        try:
            with Client(port) as client:
                for i in range(16):
                    client.generate(f"h{i}", 1000, credit=0)
                    did["streams"] += 1
                while time.monotonic() < end:
                    list(client.messages())
        except OSError:
            did["connections refused or lost"] += 1
            time.sleep(0.01)


def never_read(port, end, did):
    """200 streams whose sockets are never read."""
    with contextlib.ExitStack() as clients:  # closes them all
        for _ in range(200):
            try:
                clients.enter_context(Client(port, receive_buffer=4096)).generate("n", 4000)
                did["streams"] += 1
            except OSError:
                did["connections refused or lost"] += 1
            if time.monotonic() > end:
                break
        wait(end)


def half_open(port, end, did):
    """Connections that say nothing, or half of a request; 400 at a time, the oldest gives way to the next."""
    held = []
    begin = time.monotonic()
    try:
        while time.monotonic() < end:
            try:
                connect(port, held).sendall(b"GET /v1/stream HTTP/1.1\r\nHost: x" if len(held) % 2 else b"")
                did["connections"] += 1
                if len(held) > 400:
                    held.pop(0).close()
                    wait(begin + did["connections"] / CONNECTIONS_PER_S)
            except OSError:
                did["connections refused or lost"] += 1
                time.sleep(0.01)
    finally:
        close(held)


def slow_requests(port, end, did):
    """200 requests that send a byte each tenth of a second (slowloris)."""
    begin = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\nX-A: "
    held = []
    try:
        while time.monotonic() < end:
            try:
                while len(held) < 200:
                    connect(port, held).sendall(begin)
                    did["requests"] += 1
            except OSError:
                did["connections refused or lost"] += 1
            for one in list(held):
                try:
                    one.sendall(b"a")
                    did["bytes of them"] += 1
                except OSError:
                    did["requests ended by the server"] += 1
                    held.remove(one)
                    one.close()
            time.sleep(0.1)
    finally:
        close(held)


def giant_frames(port, end, did):
    """Messages of 8 MiB, and frames that say they have 1 TiB."""
    terabyte = b"\x81\xff" + struct.pack(">Q", 1 << 40) + b"\0\0\0\0" + b"x" * 65536
    message = b'{"type":"generate","id":"' + b"x" * (8 << 20) + b'"}'
    while time.monotonic() < end:
        for what, send in ("frames of 1 TiB", lambda c: c.socket.sendall(terabyte)), ("messages", lambda c: c.send(message)):
            try:
                with Client(port) as client:
                    did[what] += 1
                    send(client)
            except OSError:
                did["connections refused or lost"] += 1


def cancelled(port, end, did):
    """Streams that are cancelled as soon as they are asked for, 500 on a connection."""
    begin = time.monotonic()
    while time.monotonic() < end:
        try:
            with Client(port) as client:
                for i in range(500):
                    if time.monotonic() > end:
                        break
                    client.generate(f"c{i}", 1000)
                    client.send({"type": "cancel", "id": f"c{i}"})
                    did["streams"] += 1
                    if i % 10 == 9:
                        list(client.messages())
                        wait(begin + did["streams"] / CANCELLED_PER_S)
        except OSError:
            did["connections refused or lost"] += 1
            time.sleep(0.01)


KINDS = {"hoard": hoard, "never-read": never_read, "half-open": half_open, "slow-requests": slow_requests,
         "giant-frames": giant_frames, "cancelled": cancelled}


class Attacker:
    """A process that attacks until a time, and then says what it did."""

    def __init__(self, attack, port, end):
        self.reader, writer = multiprocessing.Pipe(duplex=False)
        self.process = multiprocessing.Process(target=Attacker.run, args=(attack, port, end, writer), daemon=True)
        self.process.start()
        writer.close()

    @staticmethod
    def run(attack, port, end, writer):
        did = collections.Counter()
        try:
            attack(port, end, did)
        finally:  # an exception goes on to stderr, and makes the exit code 1
            writer.send(did)

    def result(self):
        """What it did, and what went wrong, if anything."""
        self.process.join(PATIENCE_S + 5)
        late = self.process.is_alive()
        if late:
            self.process.kill()
            self.process.join()
        try:
            did = self.reader.recv() if self.reader.poll() else collections.Counter()
        except EOFError:
            did = collections.Counter()
        self.reader.close()
        code = self.process.exitcode
        fault = "did not end by itself" if late else f"exit code {code}" if code else None if did else "did nothing"
        return did, fault


def resident_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


class Phase:
    """A quiet phase, or an attacked one, and what came of it."""

    def __init__(self, port, seconds, attack):
        lead_s = FILLING_S if attack is never_read else LEAD_S
        end = time.monotonic() + lead_s + seconds
        attacker = Attacker(attack, port, end) if attack else None
        time.sleep(lead_s)
        victim = Victim(port)
        wait(end)
        victim.stop()
        self.did, self.fault = attacker.result() if attacker else (collections.Counter(), None)
        self.victim_faults = victim.faults
        gaps = sorted(victim.gaps)
        self.figures = (1000 * gaps[int(0.99 * (len(gaps) - 1))] if gaps else math.inf,
                        1000 * statistics.median(victim.firsts) if victim.firsts else math.inf,
                        victim.tokens / victim.seconds)


def cell(quiet, attacked, figure):
    a, b = (statistics.median(phase.figures[figure] for phase in side) for side in (quiet, attacked))
    ratio = f"{b / a:4.2f}x" if 0 < a < math.inf else "    -"
    return f"{a:7.1f} -> {b:6.1f} {ratio}"


def measure(options, kind):
    """Prints a line about a kind of attack, and one about its attackers; whether all of them attacked."""
    quiet, attacked = [], []
    for _ in range(options.phases):
        quiet.append(Phase(options.port, options.seconds, None))
        attacked.append(Phase(options.port, options.seconds, KINDS[kind]))
    cells = [cell(quiet, attacked, figure) for figure in range(3)]
    print(f"{kind:14} {cells[0]:>24} {cells[1]:>24} {cells[2]:>24}  {resident_mib(options.pid)}")
    did = sum((phase.did for phase in attacked), collections.Counter())
    print("    attackers: " + (", ".join(f"{what} {count:,}" for what, count in sorted(did.items())) or "nothing"))
    for who, side in ("quiet", quiet), ("attacked", attacked):
        for what, count in sorted(collections.Counter(fault for phase in side for fault in phase.victim_faults).items()):
            print(f"    victim, {who}: {what} (times: {count})")
    faults = [f"{phase.fault} in phase {number}" for number, phase in enumerate(attacked, 1) if phase.fault]
    if faults:
        print("    ATTACK FAILED, the figures say nothing: " + ", ".join(faults))
    sys.stdout.flush()
    return not faults


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("pid", type=int)
    parser.add_argument("kinds", nargs="*", help="of: " + ", ".join(KINDS))
    parser.add_argument("--phases", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    unknown = [kind for kind in options.kinds if kind not in KINDS]
    if unknown:
        parser.error(f"no such kind: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    if options.phases < 1 or not 0.5 <= options.seconds <= 3600:
        parser.error("--phases must be at least 1, and --seconds from 0.5 to 3600")
    try:
        resident_mib(options.pid)
        with Client(options.port):
            pass
    except (OSError, OverflowError, StopIteration) as fault:
        parser.error(f"no server at port {options.port} with process {options.pid}: {fault!r}")
    return options


def main():
    options = arguments()
    Phase(options.port, options.seconds, None)  # warms up
    print(f"{'kind':14} {'gap p99 ms':>24} {'first token ms':>24} {'tokens/s':>24}  RSS MiB (start {resident_mib(options.pid)})")
    return 0 if all([measure(options, kind) for kind in options.kinds or KINDS]) else 1


if __name__ == "__main__":
    sys.exit(main())
