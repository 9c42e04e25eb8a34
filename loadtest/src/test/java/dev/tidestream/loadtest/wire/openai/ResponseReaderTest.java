package dev.tidestream.loadtest.wire.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.wire.Link;
import dev.tidestream.protocol.ServerMessage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ResponseReaderTest {
    private static final int MAX_TOKENS = 10;

    private final List<ServerMessage> messages = new ArrayList<>();
    private final List<Promise> broken = new ArrayList<>();
    private int number;
    private final ResponseReader reader = new ResponseReader(false, "s0", MAX_TOKENS, new Link.Listener() {
        @Override
        public void opened(Link link) {}

        @Override
        public void message(ServerMessage message, long nowNs) {
            messages.add(message);
        }

        @Override
        public void failed(String id, String code, String why, long nowNs) {}

        @Override
        public void checked(String id, Promise promise, boolean kept, Supplier<String> otherwise) {
            if (!kept) {
                broken.add(promise);
            }
        }

        @Override
        public void garbage(String what, long nowNs) {}

        @Override
        public void closed(String why, long nowNs) {}
    }, () -> { });

    private void event(String type, String fields) {
        reader.event("", "{\"type\":\"%s\",\"sequence_number\":%d,%s}".formatted(type, number++, fields), 0);
    }

    private void delta(long seq) {
        event("response.output_text.delta",
                "\"delta\":\"x\",\"tidestream\":{\"seq\":%d,\"token\":5,\"weights_version\":1}".formatted(seq));
    }

    private long tokens() {
        return messages.stream().filter(message -> message instanceof ServerMessage.Token).count();
    }

    private void begin() {
        event("response.created", "\"response\":{\"id\":\"r1\"}");
    }

    private void end(int output, int cached) {
        event("response.completed", ("\"response\":{\"id\":\"r1\",\"usage\":{\"input_tokens\":5,"
                + "\"input_tokens_details\":{\"cached_tokens\":%d},\"output_tokens\":%d,\"total_tokens\":%d}}")
                .formatted(cached, output, output + 5));
        reader.bodyEnded(0);
    }

    @Test
    void shouldCountTokensWithoutText() {
        begin();
        delta(0);
        delta(3);
        assertEquals(4, tokens());
        end(5, 4);
        assertEquals(List.of(), broken);
        ServerMessage.Finished finished = assertInstanceOf(ServerMessage.Finished.class, messages.getLast());
        assertEquals(5, finished.usage().completionTokens(), "the last one had no text");
        assertEquals(4, finished.usage().cachedTokens());
    }

    @Test
    void shouldNotBelieveAnyNumber() {
        begin();
        delta(0);
        delta(Integer.MAX_VALUE);
        assertEquals(2, tokens());
        assertEquals(List.of(Promise.MAX_TOKENS), broken);
    }

    @Test
    void shouldNotGoOnByARepeatedNumber() {
        begin();
        delta(0);
        delta(1);
        delta(1);
        assertEquals(List.of(Promise.SEQUENCE), broken);
        delta(2);
        assertEquals(List.of(Promise.SEQUENCE), broken, "2 is behind 1");
        assertEquals(4, tokens());
    }

    @Test
    void shouldTakeATokenAfterTheEndForAFault() {
        begin();
        delta(0);
        reader.fail("overloaded", "later", 0);
        reader.event("", Told.JSON.createObjectNode().put("type", "response.output_text.delta").put("sequence_number", number)
                .put("delta", "y"), 0);
        assertEquals(1, tokens());
        assertTrue(broken.contains(Promise.TERMINAL), broken.toString());
    }

    @Test
    void shouldExpectNoLessInUsageThanCame() {
        begin();
        delta(0);
        delta(1);
        end(1, 0);
        assertEquals(List.of(Promise.USAGE), broken);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 6})
    void shouldExpectCachedTokensToBeTokensOfThePrompt(int cached) {
        begin();
        delta(0);
        end(1, cached);
        assertEquals(List.of(Promise.USAGE), broken);
    }
}
