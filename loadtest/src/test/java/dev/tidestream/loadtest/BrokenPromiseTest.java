package dev.tidestream.loadtest;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.function.Consumer;

import org.junit.jupiter.api.Test;

import dev.tidestream.loadtest.ScriptedServer.Reply;
import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerMessage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A server that breaks a promise is caught: exit code 1, and the evidence is printed. */
class BrokenPromiseTest {
    private static final int TOKENS = 6;

    private record Outcome(int exitCode, String out) {}

    /** Replies: accepted, six tokens, finished; {@code damage} may change those of the third request. */
    private static Outcome run(Consumer<List<Reply>> damage, String... more) {
        try (ScriptedServer server = new ScriptedServer((request, number) -> {
            List<Reply> replies = ScriptedServer.stream(request.id(), TOKENS, 100_000, 100_000);
            if (number == 2) {
                damage.accept(replies);
            }
            return replies;
        })) {
            List<String> args = new java.util.ArrayList<>(List.of("--url", server.url().toString(), "--requests", "6",
                    "--concurrency",
                    "2", "--warmup", "0s", "--output-tokens", String.valueOf(TOKENS)));
            args.addAll(List.of(more));
            StringWriter out = new StringWriter();
            int exitCode = Main.run(new PrintWriter(out), new PrintWriter(out), args.toArray(String[]::new));
            return new Outcome(exitCode, out.toString());
        }
    }

    private static void caught(Outcome outcome, String evidence) {
        assertEquals(1, outcome.exitCode(), outcome.out());
        assertTrue(outcome.out().contains("FAILED"), outcome.out());
        assertTrue(outcome.out().contains("breach: s2 "), outcome.out());
        assertTrue(outcome.out().contains(evidence), outcome.out());
    }

    @Test
    void shouldBeContentWithAGoodServer() {
        Outcome outcome = run(_ -> { });
        assertEquals(0, outcome.exitCode(), outcome.out());
        assertTrue(outcome.out().startsWith("OK: loadtest"), outcome.out());
        assertTrue(outcome.out().contains("requests    6: finished 6, failed 0"), outcome.out());
    }

    @Test
    void shouldCatchADroppedToken() {
        Outcome outcome = run(replies -> replies.remove(3));
        caught(outcome, "tokens lost: seq=3, expected=2");
        assertTrue(outcome.out().contains("usage is not what came: received=5, usage=6"), outcome.out());
    }

    @Test
    void shouldCatchADroppedLastToken() {
        caught(run(replies -> replies.remove(TOKENS)), "usage is not what came: received=5, usage=6");
    }

    @Test
    void shouldCatchARepeatedToken() {
        caught(run(replies -> replies.add(4, replies.get(3))), "a token repeated or out of order: seq=2, expected=3");
    }

    @Test
    void shouldCatchSwappedTokens() {
        caught(run(replies -> java.util.Collections.swap(replies, 2, 3)), "tokens lost: seq=2, expected=1");
    }

    @Test
    void shouldCatchAnotherVersionInAPinnedStream() {
        caught(run(replies -> replies.set(4, version(replies.get(4), 8))),
                "another weights version in a pinned stream: version=8, before=7");
    }

    @Test
    void shouldCatchAnOlderVersionInAFollowingStream() {
        Outcome newer = run(replies -> replies.replaceAll(reply -> version(reply, 8)), "--follow", "1");
        assertEquals(0, newer.exitCode(), newer.out());
        caught(run(replies -> replies.set(4, version(replies.get(4), 6)), "--follow", "1"),
                "an older weights version in a following stream: version=6, before=7");
    }

    @Test
    void shouldCatchTokensBeyondTheCredit() {
        caught(run(_ -> { }, "--credit", "paced:0.01"), "more tokens than granted: tokens=2, credit=1");
    }

    @Test
    void shouldCatchAFrameAfterTheEnd() {
        Outcome outcome = run(replies -> replies.add(replies.getLast()));
        assertEquals(1, outcome.exitCode(), outcome.out());
        assertTrue(outcome.out().contains("a frame of no running stream: Finished[id=s2"), outcome.out());
    }

    @Test
    void shouldCatchAStreamThatFallsSilent() {
        caught(run(List::removeLast, "--stall", "2s"), "silent for ");
    }

    @Test
    void shouldCountErrorsAndFailOnThemOnRequest() {
        Consumer<List<Reply>> busy = replies -> {
            String id = String.valueOf(replies.getFirst().message().id());
            replies.clear();
            replies.add(new Reply(0, new ServerMessage.Failed(id, ErrorCode.BUSY, "full")));
        };
        Outcome tolerated = run(busy);
        assertEquals(0, tolerated.exitCode(), tolerated.out());
        assertTrue(tolerated.out().contains("errors      {busy=1}"), tolerated.out());
        assertEquals(1, run(busy, "--fail-on-errors").exitCode());
    }

    @Test
    void shouldCancelWhatDoesNotEndInTime() throws Exception {
        try (ScriptedServer server = new ScriptedServer((request, _) -> ScriptedServer.stream(request.id(), 2, 0,
                600_000_000_000L))) {
            StringWriter out = new StringWriter();
            int exitCode = Main.run(new PrintWriter(out), new PrintWriter(out), "--url", server.url().toString(), "--requests",
                    "1",
                    "--warmup", "0s", "--drain", "100ms");
            assertEquals(1, exitCode, out.toString());
            assertTrue(out.toString().contains("no end within 5 s of its cancel: tokens=1"), out.toString());
            server.await(received -> received.contains(new ClientMessage.Cancel("s0")));
        }
    }

    private static Reply version(Reply reply, long version) {
        return reply.message() instanceof ServerMessage.Token t
                ? new Reply(reply.delayNs(), ScriptedServer.token(t.id(), t.seq(), version)) : reply;
    }
}
