package dev.tidestream.server.keys;

import java.util.List;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class StreamTabTest {
    private final ApiKeys keys = ApiKeys.of(ring(new KeyLimits(0, 10, 1)), () -> 0);

    private static KeyRing ring(KeyLimits limits) {
        return new KeyRing(List.of(new ApiKey("alice", KeyHash.of("a"), limits)));
    }

    private KeyAccount alice() {
        return keys.find("a").orElseThrow();
    }

    private static void send(StreamLease lease, int from, int to) {
        lease.accepted(7);
        for (int seq = from; seq < to; seq++) {
            lease.token(seq);
        }
    }

    private void assertUse(int tokens, int streams) {
        assertEquals(tokens, keys.use().getFirst().tokens());
        assertEquals(streams, alice().running());
    }

    @Test
    void shouldCountWhatIsSentAgainOnce() throws Exception {
        StreamTab tab = StreamTab.ofNew();
        StreamLease first = tab.begin(alice().requestStream());
        send(first, 0, 4);
        first.close();
        assertUse(11, 0);
        alice().requestResume(); // whatever it owes
        StreamLease second = alice().resumed(tab);
        send(second, 2, 6);
        assertUse(13, 1);
        send(second, 0, 1); // from an earlier token
        second.close();
        assertUse(13, 0);
        StreamTab ofAnEarlierProcess = StreamTab.counted(5);
        send(alice().resumed(ofAnEarlierProcess), 3, 7);
        assertUse(15, 1);
    }

    @Test
    void shouldHandThePlaceOverToTheNextConnection() throws Exception {
        StreamTab tab = StreamTab.ofNew();
        StreamLease first = tab.begin(alice().requestStream());
        StreamLease second = alice().resumed(tab);
        assertUse(0, 1);
        first.close(); // when it hears of it
        assertUse(0, 1);
        second.close();
        assertUse(0, 0);
    }

    @Test
    void shouldTakeAPlaceAgainIfThereIsOne() throws Exception {
        StreamTab tab = StreamTab.ofNew();
        tab.begin(alice().requestStream()).close();
        StreamLease other = alice().requestStream();
        assertEquals(KeyRefusal.STREAMS, assertThrows(KeyLimitException.class, () -> alice().resumed(tab)).refusal());
        other.close();
        alice().resumed(tab);
        assertUse(0, 1);
    }

    @Test
    void shouldGivePlacesBackToTheAccountThatHadThem() throws Exception {
        StreamTab tab = StreamTab.ofNew();
        KeyAccount before = alice();
        tab.begin(before.requestStream());
        keys.replace(new KeyRing(List.of()));
        assertEquals(KeyRefusal.REVOKED, assertThrows(KeyLimitException.class, before::requestResume).refusal());
        keys.replace(ring(new KeyLimits(0, 0, 1))); // of that name again
        alice().resumed(tab).accepted(3);
        assertEquals(0, before.running());
        assertUse(3, 1);
    }
}
