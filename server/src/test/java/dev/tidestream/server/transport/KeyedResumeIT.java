package dev.tidestream.server.transport;

import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.keys.ApiKey;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.keys.KeyHash;
import dev.tidestream.server.keys.KeyLimits;
import dev.tidestream.server.keys.KeyRing;
import dev.tidestream.server.keys.KeyText;
import dev.tidestream.server.keys.KeyUse;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Streams that outlive their connection where the server has API keys: they are of their key. */
@ExtendWith(NettyLeakCheck.class)
class KeyedResumeIT {
    private static final String ALICE = KeyText.generate();
    private static final String BOB = KeyText.generate();

    private ApiKeys keys = ApiKeys.notRequired();
    @SuppressWarnings("NullAway.Init") // before each test
    private TestServer server;

    /** @param limits of alice; bob has none */
    private void start(KeyLimits limits) throws Exception {
        keys = ApiKeys.of(new KeyRing(List.of(
                new ApiKey("alice", KeyHash.of(ALICE), limits), new ApiKey("bob", KeyHash.of(BOB), KeyLimits.NONE))), () -> 0);
        server = new TestServer(keys);
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private static String begin(TestClient client, int tokens, int credit) throws InterruptedException {
        client.generate("a", "x", tokens, ",\"resumable\":true,\"credit\":" + credit);
        String handle = String.valueOf(client.next(ServerMessage.Accepted.class).resume());
        for (int i = 0; i < credit; i++) {
            client.next(ServerMessage.Token.class);
        }
        return handle;
    }

    private static void resume(TestClient client, String id, String handle, int afterSeq) {
        client.send("{\"type\":\"resume\",\"id\":\"%s\",\"stream\":\"%s\",\"after_seq\":%d}".formatted(id, handle, afterSeq));
    }

    private static void assertFailed(TestClient client, String id, ErrorCode code) throws InterruptedException {
        ServerMessage.Failed failed = client.next(ServerMessage.Failed.class);
        assertEquals(id, failed.id());
        assertEquals(code, failed.code(), failed.toString());
    }

    @Test
    void shouldBeResumedWithItsKeyOnly() throws Exception {
        start(KeyLimits.NONE);
        try (TestClient alice = new TestClient(server.port(), ALICE); TestClient bob = new TestClient(server.port(), BOB);
                TestClient again = new TestClient(server.port(), ALICE)) {
            String handle = begin(alice, 6, 2);
            resume(bob, "b", handle, 1);
            assertFailed(bob, "b", ErrorCode.UNKNOWN_STREAM);
            resume(bob, "b", "AAAAAAAAAAAAAAAAAAAAAA", 1);
            assertFailed(bob, "b", ErrorCode.UNKNOWN_STREAM);
            resume(again, "c", handle, 1);
            assertEquals(1 + 4 + 1, again.untilFinished("c").size());
            assertFailed(alice, "a", ErrorCode.RESUMED);
            assertEquals(0, bob.barrier("d").stream().filter(ServerMessage.Failed.class::isInstance).count());
        }
    }

    @Test
    void shouldHaveOnePlaceAndBeChargedOnce() throws Exception {
        start(new KeyLimits(0, 0, 1));
        try (TestClient alice = new TestClient(server.port(), ALICE); TestClient again = new TestClient(server.port(), ALICE);
                TestClient third = new TestClient(server.port(), ALICE)) {
            String handle = begin(alice, 6, 3);
            resume(again, "b", handle, 0); // while the other connection still has it
            again.untilFinished("b");
            assertFailed(alice, "a", ErrorCode.RESUMED);
            assertEquals(List.of(new KeyUse("alice", 2, 3 + 6, 0), new KeyUse("bob", 0, 0, 0)), keys.use());
            resume(third, "c", handle, -1); // all of it from memory
            assertEquals(1 + 6 + 1, third.untilFinished("c").size());
            assertEquals(new KeyUse("alice", 3, 3 + 6, 0), keys.use().getFirst());
            alice.generate("d", "hold", 1, "");
            alice.next(ServerMessage.Accepted.class);
            resume(again, "e", handle, 3);
            assertFailed(again, "e", ErrorCode.RATE_LIMIT_EXCEEDED); // it is a stream of the key like any other
        }
    }

    @Test
    void shouldBeResumedWhateverTheKeyOwesButNotWithOneThatIsGone() throws Exception {
        start(new KeyLimits(0, 5, 0));
        try (TestClient alice = new TestClient(server.port(), ALICE); TestClient again = new TestClient(server.port(), ALICE)) {
            String handle = begin(alice, 8, 4);
            again.generate("b", "x", 1, "");
            assertFailed(again, "b", ErrorCode.RATE_LIMIT_EXCEEDED);
            resume(again, "c", handle, 3);
            assertEquals(1 + 4 + 1, again.untilFinished("c").size());
            assertFailed(alice, "a", ErrorCode.RESUMED);
            keys.replace(new KeyRing(List.of()));
            resume(alice, "d", handle, 3);
            assertFailed(alice, "d", ErrorCode.INVALID_API_KEY);
        }
    }
}
