package dev.tidestream.server.keys;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Limits by a clock that stands still. */
class ApiKeysTest {
    private final AtomicLong nowNs = new AtomicLong();

    private static KeyRing ring(ApiKey... keys) {
        return new KeyRing(List.of(keys));
    }

    private static ApiKey key(String name, String text, int requests, int tokens, int streams) {
        return new ApiKey(name, KeyHash.of(text), new KeyLimits(requests, tokens, streams));
    }

    private ApiKeys keys(int requests, int tokens, int streams) {
        return ApiKeys.of(ring(key("alice", "a", requests, tokens, streams)), nowNs::get);
    }

    private static KeyAccount alice(ApiKeys keys) {
        return keys.find("a").orElseThrow();
    }

    private void pass(Duration time) {
        nowNs.addAndGet(time.toNanos());
    }

    private static KeyLimitException refused(KeyAccount account) {
        return assertThrows(KeyLimitException.class, account::request);
    }

    @Test
    void shouldAskNobodyForAKeyWithoutKeys() throws Exception {
        ApiKeys none = ApiKeys.notRequired();
        assertEquals(false, none.required());
        assertEquals(Optional.empty(), none.find("a"));
        assertEquals(Owner.ANYBODY, none.anybody().owner());
        for (int i = 0; i < 1000; i++) {
            none.anybody().request();
        }
        assertEquals(64, none.anybody().streams(64, 1).size());
        assertEquals(Optional.empty(), none.anybody().requestsLeft());
        assertTrue(ApiKeys.of(ring()).required());
        assertEquals(Optional.empty(), ApiKeys.of(ring()).find("a"));
    }

    /** What leaked asks for nothing more; who has the new key has what is left of the old one's minute. */
    @Test
    void shouldExchangeAKeyUnderTheSameName() throws Exception {
        ApiKeys keys = keys(3, 0, 2);
        KeyAccount old = alice(keys);
        StreamTab tab = StreamTab.ofNew();
        StreamLease running = tab.begin(old.requestStream());
        keys.replace(ring(key("alice", "new", 3, 0, 2)));
        assertEquals(Optional.empty(), keys.find("a"));
        KeyLimitException e = refused(old);
        assertEquals(KeyRefusal.REVOKED, e.refusal());
        assertThrows(KeyLimitException.class, old::requestResume);
        KeyAccount successor = keys.find("new").orElseThrow();
        assertEquals(old.owner(), successor.owner());
        running.accepted(5); // what runs goes on, and counts
        assertEquals(List.of(new KeyUse("alice", 1, 5, 1)), keys.use());
        StreamLease resumed = successor.resumed(tab);
        assertEquals(1, successor.running(), "with the place that it had");
        successor.requestStream();
        assertEquals(KeyRefusal.STREAMS, assertThrows(KeyLimitException.class, successor::requestStream).refusal());
        successor.request();
        assertEquals(KeyRefusal.REQUESTS_PER_MINUTE, refused(successor).refusal());
        resumed.close();
        assertEquals(1, successor.running());
        KeyAccount same = keys.find("new").orElseThrow();
        keys.replace(ring(key("alice", "new", 9, 0, 2)));
        assertSame(same, keys.find("new").orElseThrow(), "another limit is no other key");
    }

    @Test
    void shouldLetInAsManyRequestsAsAMinuteAllows() throws Exception {
        ApiKeys keys = keys(3, 0, 0);
        KeyAccount alice = alice(keys);
        for (int i = 0; i < 3; i++) {
            alice.request();
        }
        KeyLimitException e = refused(alice);
        assertEquals(KeyRefusal.REQUESTS_PER_MINUTE, e.refusal());
        assertEquals(OptionalLong.of(20_000), e.retryAfterMs());
        assertEquals("Rate limit reached for requests per minute: limit=3, key=alice; try again in 20000 ms", e.getMessage());
        assertEquals(Optional.of(new KeyAccount.Standing(3, 0, 60_000)), alice.requestsLeft());
        pass(Duration.ofSeconds(20));
        alice.request();
        refused(alice);
        pass(Duration.ofHours(1)); // a minute's worth is kept, not an hour's
        assertEquals(Optional.of(new KeyAccount.Standing(3, 3, 0)), alice.requestsLeft());
        assertEquals(2, keys.refusals().get(KeyRefusal.REQUESTS_PER_MINUTE));
        assertEquals(List.of(new KeyUse("alice", 4, 0, 0)), keys.use());
    }

    @Test
    void shouldHaveTheNextRequestWaitForWhatStreamsUsedBeyondTheBudget() throws Exception {
        ApiKeys keys = keys(0, 60, 0);
        KeyAccount alice = alice(keys);
        StreamLease stream = alice.requestStream();
        stream.accepted(50);
        alice.request(); // 10 are left
        for (int i = 0; i < 40; i++) {
            stream.token(i); // goes on beyond the budget
        }
        stream.close();
        KeyLimitException e = refused(alice);
        assertEquals(KeyRefusal.TOKENS_PER_MINUTE, e.refusal());
        assertEquals(OptionalLong.of(31_000), e.retryAfterMs()); // 30 beyond it, and one is needed
        assertEquals("Rate limit reached for tokens per minute: limit=60, key=alice; try again in 31000 ms", e.getMessage());
        assertEquals(Optional.of(new KeyAccount.Standing(60, 0, 90_000)), alice.tokensLeft());
        pass(Duration.ofSeconds(30));
        refused(alice);
        pass(Duration.ofSeconds(1));
        alice.request();
        assertEquals(List.of(new KeyUse("alice", 3, 90, 0)), keys.use());
    }

    @Test
    void shouldCountThePromptOfSeveralChoicesOnce() throws Exception {
        ApiKeys keys = keys(0, 1000, 0);
        List<StreamLease> leases = alice(keys).streams(6, 3); // two prompts
        leases.forEach(lease -> lease.accepted(10));
        leases.forEach(lease -> lease.token(0));
        assertEquals(26, keys.use().getFirst().tokens());
    }

    @Test
    void shouldHaveSoManyStreamsAtOnce() throws Exception {
        ApiKeys keys = keys(10, 0, 3);
        KeyAccount alice = alice(keys);
        List<StreamLease> two = alice.streams(2, 2);
        KeyLimitException e = assertThrows(KeyLimitException.class, () -> alice.streams(2, 2));
        assertEquals("Rate limit reached for streams at once: running=2, limit=3, key=alice; try again in 1000 ms", e.getMessage());
        StreamLease third = alice.requestStream();
        assertEquals(KeyRefusal.STREAMS, assertThrows(KeyLimitException.class, alice::requestStream).refusal());
        assertEquals(3, alice.running());
        third.close();
        third.close(); // again does nothing
        assertEquals(2, alice.running());
        two.forEach(StreamLease::close);
        KeyLimitException never = assertThrows(KeyLimitException.class, () -> alice.streams(4, 4));
        assertEquals("more streams than the key may ever have at once: streams=4, limit=3, key=alice", never.getMessage());
        assertEquals(OptionalLong.empty(), never.retryAfterMs());
        assertEquals(List.of(new KeyUse("alice", 1, 0, 0)), keys.use());
    }

    @Test
    void shouldGiveThePlaceBackIfTheRequestIsRefused() throws Exception {
        ApiKeys keys = keys(1, 0, 1);
        KeyAccount alice = alice(keys);
        alice.requestStream().close();
        assertEquals(KeyRefusal.REQUESTS_PER_MINUTE, assertThrows(KeyLimitException.class, alice::requestStream).refusal());
        assertEquals(0, alice.running());
    }

    @Test
    void shouldKeepWhatWasUsedByANameThatStays() throws Exception {
        ApiKeys keys = keys(2, 0, 2);
        KeyAccount alice = alice(keys);
        StreamLease lease = alice.requestStream();
        alice.request();
        keys.replace(ring(key("alice", "other", 2, 0, 2), key("bob", "b", 0, 0, 0)));
        assertEquals(Optional.empty(), keys.find("a"));
        KeyAccount successor = keys.find("other").orElseThrow();
        assertEquals(KeyRefusal.REQUESTS_PER_MINUTE, refused(successor).refusal());
        keys.replace(ring(key("alice", "other", 5, 0, 1)));
        assertEquals(5, successor.requestsLeft().orElseThrow().left());
        assertThrows(KeyLimitException.class, successor::requestStream); // the stream still runs
        lease.close();
        successor.requestStream();
        assertEquals(List.of(new KeyUse("alice", 3, 0, 1)), keys.use());
    }

    @Test
    void shouldLetNothingNewBeAskedWithAKeyThatIsGone() throws Exception {
        ApiKeys keys = keys(0, 0, 0);
        KeyAccount alice = alice(keys);
        StreamLease lease = alice.requestStream();
        keys.replace(ring());
        KeyLimitException e = assertThrows(KeyLimitException.class, alice::requestStream);
        assertEquals(KeyRefusal.REVOKED, e.refusal());
        assertEquals("the API key is valid no more: key=alice", e.getMessage());
        assertEquals(OptionalLong.empty(), e.retryAfterMs());
        lease.token(0);
        lease.close();
        assertEquals(0, alice.running());
        keys.replace(ring(key("alice", "a", 0, 0, 0)));
        alice(keys).request(); // of that name again, from nothing
        refused(alice);
        assertEquals(Map.of(KeyRefusal.MISSING, 0L, KeyRefusal.WRONG, 0L, KeyRefusal.REVOKED, 2L, KeyRefusal.REQUESTS_PER_MINUTE, 0L,
                KeyRefusal.TOKENS_PER_MINUTE, 0L, KeyRefusal.STREAMS, 0L), keys.refusals());
    }
}
