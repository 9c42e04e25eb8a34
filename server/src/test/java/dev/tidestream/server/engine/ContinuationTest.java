package dev.tidestream.server.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tokenizer.IncrementalDetokenizer;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.scheduler.QueueLimits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Streams that go on where they were, and how many tokens a stream may make that does not say. */
class ContinuationTest extends EngineFixture {
    private static final int[] GENERATED = new int[60];

    /** One that makes 80 tokens at most and has 60 of them. */
    private static GenerateRequest goingOn() {
        for (int i = 0; i < GENERATED.length; i++) {
            GENERATED[i] = 'a' + i % 20;
        }
        return request("abc", 80).continued(7, new Continuation(GENERATED, Continuation.NEWEST));
    }

    @Test
    void shouldMakeTextOfEarlierTokensBeforeTheDecodeThreadHasTheStream() {
        List<Integer> detokenized = new ArrayList<>();
        FakeTokenizer counting = new FakeTokenizer() {
            @Override
            public IncrementalDetokenizer newDetokenizer() {
                IncrementalDetokenizer plain = super.newDetokenizer();
                return new IncrementalDetokenizer() {
                    @Override
                    public String append(int token) {
                        detokenized.add(token);
                        return plain.append(token);
                    }

                    @Override
                    public String flush() {
                        return plain.flush();
                    }
                };
            }
        };
        TokenEngine engine = new TokenEngine(CONFIG, counting, epochs, () -> nowNs, () -> -1L, Runnable::run);
        Recorder stream = subscribe(engine, goingOn());
        assertEquals(60, detokenized.size());
        stream.request(3);
        work(engine);
        assertEquals(62, detokenized.size(), "accepted, and two tokens");
        engine.close();
    }

    @Test
    void shouldCountEarlierTokensAsMemoryOfARequestOnItsWay() {
        EngineConfig small = CONFIG.withLimits(CONFIG.prompts(), new QueueLimits(4, 1024 + 4 * 62), CONFIG.stalled());
        TokenEngine engine = new TokenEngine(small, new FakeTokenizer(), epochs, () -> nowNs, () -> -1L, Runnable::run);
        Recorder stream = subscribe(engine, goingOn()); // 63 tokens
        assertEquals(1, stream.errors.size(), "refused before the decode thread looks");
        assertEquals(ErrorCode.BUSY, stream.code());
        engine.close();
    }

    /** 16 blocks of 32 positions would be 512; the context of 128 is less. */
    @Test
    void shouldLetAStreamMakeWhatContextAndKvMemoryLeave() {
        TokenEngine engine = manualEngine();
        assertEquals(128 - 5, engine.defaultMaxTokens(5));
        assertEquals(1, engine.defaultMaxTokens(127));
        assertEquals(1, engine.defaultMaxTokens(500));
        engine.close();
        EngineConfig small = CONFIG.withKvMemoryBytes(2 * model.kvCacheShape().blockBytes());
        TokenEngine tight = new TokenEngine(small, new FakeTokenizer(), epochs, () -> nowNs, () -> -1L, Runnable::run);
        int most = tight.defaultMaxTokens(20);
        assertEquals(64 - 20, most);
        Recorder stream = subscribe(tight, request("x".repeat(20), most));
        stream.request(Long.MAX_VALUE);
        work(tight);
        assertTrue(stream.completed, stream.errors.toString());
        tight.close();
    }

    /** As when the tokens of a receipt are claimed to be more than there can be. */
    @Test
    void shouldRefuseToGoOnBehindTheContext() {
        TokenEngine engine = manualEngine();
        int[] before = new int[125];
        Arrays.fill(before, 'a');
        Recorder stream = subscribe(engine, request("abc", 200).continued(7, new Continuation(before, Continuation.NEWEST)));
        stream.request(Long.MAX_VALUE);
        work(engine);
        assertEquals(ErrorCode.PROMPT_TOO_LONG, stream.code());
        assertEquals("prompt and the tokens so far leave no room: tokens=3, generated=125, context=128",
                stream.errors.getFirst().getMessage());
        assertEquals(1, epochs.live().size());
        assertEquals(0, epochs.live().getFirst().leases());
        engine.close();
    }
}
