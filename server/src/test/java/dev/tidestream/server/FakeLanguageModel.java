package dev.tidestream.server;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.KvCacheShape;
import dev.tidestream.model.transformer.LanguageModel;

/**
 * A model whose next token is a hash of its salt and of every token that it finds in the KV cache, so that a mixed-up cache, a
 * lost row or a misplaced chunk changes all that follows. Remembers the rows of each pass.
 */
public final class FakeLanguageModel implements LanguageModel {
    public static final int VOCABULARY = 128;
    /** A sequence that begins with this token gets logits that no sampler takes. */
    public static final int POISON = 127;
    private static final KvCacheShape SHAPE = new KvCacheShape(1, 1, 1, KvType.F32);

    private final int contextLength;
    private final int maxRows;
    private final long salt;
    private final List<List<Slice>> passes = new ArrayList<>();
    private Consumer<List<Slice>> beforePass = slices -> { };

    public FakeLanguageModel(int contextLength, int maxRows, long salt) {
        this.contextLength = contextLength;
        this.maxRows = maxRows;
        this.salt = salt;
    }

    /** Called at the beginning of each pass; may throw. */
    public void beforePass(Consumer<List<Slice>> action) {
        beforePass = action;
    }

    /** The slices of each pass. */
    public List<List<Slice>> passes() {
        return passes;
    }

    /** The slices of the last pass. */
    public List<Slice> lastPass() {
        return passes.getLast();
    }

    /** What the model says after these tokens: never 0, the end-of-generation token of {@link FakeTokenizer}. */
    public int next(int[] tokens) {
        return (int) Math.floorMod(mix(Arrays.hashCode(tokens)), (long) (VOCABULARY - 1)) + 1;
    }

    /** The first {@code count} tokens it says after a prompt. */
    public List<Integer> continuation(int[] prompt, int count) {
        int[] all = Arrays.copyOf(prompt, prompt.length + count);
        List<Integer> generated = new ArrayList<>();
        for (int i = prompt.length; i < all.length; i++) {
            all[i] = next(Arrays.copyOf(all, i));
            generated.add(all[i]);
        }
        return generated;
    }

    private long mix(int hash) {
        long mixed = (hash + salt) * 0x9E3779B97F4A7C15L;
        return mixed ^ mixed >>> 29;
    }

    @Override
    public int vocabularySize() {
        return VOCABULARY;
    }

    @Override
    public int contextLength() {
        return contextLength;
    }

    @Override
    public KvCacheShape kvCacheShape() {
        return SHAPE;
    }

    @Override
    public Kernels kernels() {
        return KernelSelection.fastest();
    }

    @Override
    public int maxRows() {
        return maxRows;
    }

    @Override
    public int forward(List<Slice> slices, float[] logits) {
        passes.add(List.copyOf(slices));
        beforePass.accept(slices);
        int written = 0;
        int rows = 0;
        for (Slice slice : slices) {
            rows += slice.count();
            for (int i = 0; i < slice.count(); i++) {
                write(slice.cache(), slice.cache().length() + i, slice.tokens()[slice.from() + i]);
            }
            slice.cache().advance(slice.count());
            int[] tokens = read(slice.cache());
            int wanted = slice.logits() == LogitsRows.NONE ? 0 : slice.logits() == LogitsRows.LAST ? 1 : slice.count();
            for (int before = tokens.length - wanted + 1; before <= tokens.length; before++) {
                float others = tokens[0] == POISON ? Float.NaN : 0f;
                Arrays.fill(logits, written * VOCABULARY, (written + 1) * VOCABULARY, others);
                logits[written * VOCABULARY + next(Arrays.copyOf(tokens, before))] = 1f;
                written++;
            }
        }
        if (rows > maxRows) {
            throw new IllegalArgumentException("rows out of range: rows=%d, maxRows=%d".formatted(rows, maxRows));
        }
        return written;
    }

    private static void write(KvCache cache, int position, int token) {
        MemorySegment block = cache.blocks().get(position / KvCacheShape.BLOCK_POSITIONS);
        block.setAtIndex(ValueLayout.JAVA_FLOAT, position % KvCacheShape.BLOCK_POSITIONS, token);
    }

    private static int[] read(KvCache cache) {
        int[] tokens = new int[cache.length()];
        for (int i = 0; i < tokens.length; i++) {
            MemorySegment block = cache.blocks().get(i / KvCacheShape.BLOCK_POSITIONS);
            tokens[i] = (int) block.getAtIndex(ValueLayout.JAVA_FLOAT, i % KvCacheShape.BLOCK_POSITIONS);
        }
        return tokens;
    }
}
