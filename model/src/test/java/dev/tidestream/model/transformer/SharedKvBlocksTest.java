package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/**
 * Blocks that one sequence has filled do for another one that begins with the same tokens; and blocks come as positions are
 * reached.
 */
class SharedKvBlocksTest {
    private static final int LENGTH = 50; // less than the shortest context
    private static final KvCacheShape WINDOWS = new KvCacheShape(1, 4, KvType.F32, List.of(2, KvCacheShape.ALL));

    private static MemorySegment[] blocks(KvCache cache) {
        MemorySegment[] blocks = new MemorySegment[cache.blocksOfNext()];
        Arrays.setAll(blocks, i -> Arena.ofAuto().allocate(cache.shape().blockBytes(), 64));
        return blocks;
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama3/gguf/llama3-Q4_0", "gpt2/gguf/gpt2-Q8_0", "qwen2/gguf/qwen2-Q4_0", "qwen3/gguf/qwen3-Q8_0",
        "gemma3/gguf/gemma3-Q4_0", "bitnet/gguf/bitnet-I2_S"})
    void shouldGiveTheSameLogitsWithBlocksThatAnotherHasFilled(String name) {
        try (LoadedModel loaded = TestModels.load("golden/models/" + name + ".gguf", KernelSelection.fastest())) {
            for (ActivationPrecision body : ActivationPrecision.values()) {
                Transformer model = loaded.newTransformer(WorkerTeam.sequential(), body, 64);
                int vocabulary = model.vocabularySize();
                int[] tokens = new SplittableRandom(7).ints(LENGTH, 0, vocabulary).toArray();
                float[] expected = TestModels.logits(model, tokens, LENGTH);

                KvCache first = new KvCache(model.kvCacheShape(), LENGTH);
                first.lend(blocks(first));
                float[] logits = new float[LENGTH * vocabulary];
                model.forward(List.of(new Slice(first, tokens, 0, 32, LogitsRows.NONE)), logits);
                KvCache second = new KvCache(model.kvCacheShape(), LENGTH);
                second.lend(first.blocksAt(0));
                second.advance(32);
                second.lend(blocks(second));
                int rows = model.forward(List.of(new Slice(second, tokens, 32, LENGTH - 32, LogitsRows.ALL)), logits);
                assertEquals(LENGTH - 32, rows);
                assertArrayEquals(
                        Arrays.copyOfRange(expected, 32 * vocabulary, expected.length), Arrays.copyOf(logits, rows * vocabulary));
            }
        }
    }

    @Test
    void shouldTakeBlocksAsPositionsAreReachedAndUseThoseOfAWindowAgain() {
        KvCache cache = new KvCache(WINDOWS, 128);
        assertEquals(0, cache.capacity());
        assertEquals("KV cache is full: length=0, count=1, capacity=0",
                assertThrows(IllegalArgumentException.class, () -> cache.advance(1)).getMessage());
        for (int blocks : new int[] {2, 2, 1, 1}) {
            assertEquals(blocks, cache.blocksOfNext());
            cache.lend(blocks(cache));
        }
        assertEquals(128, cache.capacity());
        assertEquals(6, cache.blocks().size());
        assertEquals("KV blocks: blocks=1, expected=0, positions=128, most=128",
                assertThrows(IllegalArgumentException.class, () -> cache.lend(cache.blocks().getFirst())).getMessage());
        cache.head(0, 0).put(3, new float[] {1, 2, 3, 4}, 0, new float[] {5, 6, 7, 8}, 0);
        assertEquals(2, cache.head(0, 0).key(64 + 3, 1));
        cache.head(1, 0).put(3, new float[] {1, 2, 3, 4}, 0, new float[] {5, 6, 7, 8}, 0);
        assertEquals(0, cache.head(1, 0).key(64 + 3, 1), "the other layer sees all");
    }

    @Test
    void shouldPutOtherBlocksInThePlaceOfItsOwn() {
        KvCache cache = new KvCache(WINDOWS, 64);
        cache.lend(blocks(cache));
        cache.lend(blocks(cache));
        MemorySegment[] own = cache.blocksAt(1);
        MemorySegment[] others = blocks(new KvCache(WINDOWS, 32));
        assertArrayEquals(own, cache.exchange(1, others));
        assertArrayEquals(others, cache.blocksAt(1));
        assertEquals(List.of(others), cache.blocks().subList(2, 4));
        cache.head(1, 0).put(40, new float[] {1, 2, 3, 4}, 0, new float[] {5, 6, 7, 8}, 0);
        KvCache reader = new KvCache(WINDOWS, 64);
        reader.lend(blocks(reader));
        reader.lend(others);
        assertEquals(3, reader.head(1, 0).key(40, 2));
        assertThrows(IllegalArgumentException.class, () -> cache.exchange(2, others));
        assertThrows(IllegalArgumentException.class, () -> cache.exchange(1, others[0]));
    }

    @Test
    void shouldNameNoBlocksThatAreUsedAgain() {
        KvCache cache = new KvCache(WINDOWS, 96);
        for (int i = 0; i < 3; i++) {
            cache.lend(blocks(cache));
        }
        assertThrows(IllegalArgumentException.class, () -> cache.blocksAt(0));
    }
}
