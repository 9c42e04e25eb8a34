package dev.tidestream.server.cluster.gateway;

import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.AdapterRef;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.engine.Continuation;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.RequestOptions;
import dev.tidestream.server.engine.TokenEvent;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

class StreamMemoryTest {
    private static GenerateRequest request(WeightsPolicy weights) {
        return new GenerateRequest("x", List.of(), false, null, 200, SamplingOptions.DEFAULT, List.of(), 0, 1, weights, "socket");
    }

    private static TokenEvent.Token token(int seq, long version) {
        return new TokenEvent.Token(seq, 1000 + seq, "", version, null, List.of(), null);
    }

    @Test
    void shouldAskForTheRequestAsItCameIfNothingWasSaid() {
        GenerateRequest request = request(WeightsPolicy.PIN);
        assertSame(request, new StreamMemory(request).from(5));
        assertEquals(Continuation.NEWEST, new StreamMemory(request).pinnedVersion());
    }

    @Test
    void shouldPinAStreamToTheVersionItBeganWith() {
        StreamMemory memory = new StreamMemory(request(WeightsPolicy.PIN));
        memory.accepted(new TokenEvent.Accepted(1, 77, 4, "packed", 2, "ab", null, new AdapterRef("law", "cd")));
        GenerateRequest begun = Objects.requireNonNull(memory.from(5));
        assertEquals(OptionalLong.of(77), begun.sampling().seed());
        assertEquals(1, begun.promptLogprobs());
        for (int i = 0; i < 100; i++) {
            memory.token(token(i, 4));
        }
        GenerateRequest from = Objects.requireNonNull(memory.from(5));
        assertEquals(4, from.continuation().weightsVersion());
        assertEquals(Continuation.NEWEST, from.continuation().atLeast());
        assertEquals(100, from.continuation().generated().length);
        assertEquals(1099, from.continuation().generated()[99]);
        assertEquals("cd", from.continuation().adapterSha256());
        assertEquals(new Continuation.Origin("packed", "ab"), from.continuation().origin());
        assertEquals(-1, from.promptLogprobs());
        assertEquals(4, memory.pinnedVersion());
    }

    @Test
    void shouldLetAStreamThatFollowsSeeNoOlderVersion() {
        StreamMemory memory = new StreamMemory(request(WeightsPolicy.FOLLOW_AND_RECOMPUTE));
        memory.accepted(new TokenEvent.Accepted(1, 77, 4, "packed", 2));
        memory.token(token(0, 4));
        memory.token(token(1, 6));
        Continuation from = Objects.requireNonNull(memory.from(5)).continuation();
        assertEquals(Continuation.NEWEST, from.weightsVersion());
        assertEquals(6, from.atLeast());
        assertArrayEquals(new int[] {1000, 1001}, from.generated());
        assertEquals(Continuation.NEWEST, memory.pinnedVersion());
        assertEquals(6, memory.leastVersion());
    }

    @Test
    void shouldGoOnBehindTokensThatItCameWith() {
        GenerateRequest resumed = request(WeightsPolicy.PIN).continued(7, new Continuation(new int[] {5, 6}, 3));
        StreamMemory memory = new StreamMemory(resumed);
        assertEquals(2, memory.next());
        assertEquals(3, memory.pinnedVersion());
        memory.accepted(new TokenEvent.Accepted(1, 7, 3, "packed", 2, "ab", null, null));
        memory.token(token(2, 3));
        Continuation from = Objects.requireNonNull(memory.from(5)).continuation();
        assertArrayEquals(new int[] {5, 6, 1002}, from.generated());
        assertNull(from.origin()); // of the first two it is not known
    }

    @Test
    void shouldLeaveAWorkerWhatIsLeftOfADeadline() {
        RequestOptions hurried = RequestOptions.NONE.with(new Urgency(Priority.BATCH, 500));
        StreamMemory memory = new StreamMemory(request(WeightsPolicy.PIN).with(hurried));
        assertEquals(new Urgency(Priority.BATCH, 380), Objects.requireNonNull(memory.from(120)).options().urgency());
        assertNull(memory.from(500));
    }
}
