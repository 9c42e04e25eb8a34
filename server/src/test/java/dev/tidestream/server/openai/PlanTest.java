package dev.tidestream.server.openai;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.server.openai.wire.AnswerFormat;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.openai.wire.RequestReader;
import dev.tidestream.server.openai.wire.TokenRequest;
import dev.tidestream.server.tracing.RequestTrace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PlanTest {
    private static final int PROMPTS = 2;
    private static final int N = 3;

    /** Seeds of three choices of each of two equal prompts. */
    private static List<Long> seeds(String more) throws BadRequestException {
        TokenRequest request = new RequestReader(1 << 20, 4096, 16)
                .completion("{\"prompt\":[\"a\",\"a\"],\"n\":%d%s}".formatted(N, more)).common();
        Plan.PlannedPrompt prompt = new Plan.PlannedPrompt("a", null);
        return new Plan(request, AnswerFormat.COMPLETION, List.of(prompt, prompt), 1, false, null).requests("connection", "account",
                        RequestTrace.NONE).stream()
                .map(each -> each.sampling().seed().orElseThrow()).toList();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 7, -1, 1L << 60})
    void shouldCountFromAGivenSeedInEachPrompt(long seed) throws BadRequestException {
        assertEquals(List.of(seed, seed + 1, seed + 2, seed, seed + 1, seed + 2), seeds(",\"seed\":" + seed));
    }

    /** So that one number tells all of them. */
    @Test
    void shouldCountFromARandomSeedOverAllPrompts() throws BadRequestException {
        Set<Long> bases = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            List<Long> seeds = seeds("");
            long base = seeds.getFirst();
            assertTrue(base >= 0 && seeds.getLast() < 1L << 53, () -> seeds + ": exact in any client's JSON");
            assertEquals(LongStream.range(base, base + PROMPTS * N).boxed().toList(), seeds);
            bases.add(base);
        }
        assertTrue(bases.size() > 1, bases.toString());
    }
}
