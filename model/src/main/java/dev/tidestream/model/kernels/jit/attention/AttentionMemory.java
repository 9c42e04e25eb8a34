package dev.tidestream.model.kernels.jit.attention;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

import dev.tidestream.model.kernels.jit.base.ScratchLayout;
import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;

/**
 * What {@link GeneratedAttention} needs, for one thread: arguments and constants of its programs, and off-heap, at cache lines, what
 * they work on. Queries are held in fours; what the last four lack is computed from whatever is there, and not used.
 *
 * <pre>
 * queries   (queries, headDim)                      copied from the caller's
 * tile      (headDim, 32) keys or (32, paddedDim) values, as floats
 * weights   (queries, SEGMENT)                      scores, capped scores, weights
 * fresh     (fours, paddedDim / 32, 4, 32)          weighted values of a segment
 * values    (fours, paddedDim / 32, 4, 32)          of the segments so far
 * results   (queries, 32): the largest score in the first 16, partial sums of weights in the others; or (paddedDim) of one query
 * </pre>
 *
 * <p>A group of 32 lanes that was F16 has the order in which pairs lie: 0, 16, 1, 17 and so on, see {@link KvHead}; weights are
 * always in order.
 */
final class AttentionMemory {
    /** Queries that go through a program together. */
    static final int FOUR = 4;
    static final int WEIGHTS_ROW_BYTES = Kernels.SEGMENT * Float.BYTES;
    /** 32 lanes. */
    static final int GROUP_BYTES = 32 * Float.BYTES;
    static final int RESULT_BYTES = 2 * Kernels.PARTIALS * Float.BYTES;
    /** Where the partial sums of a result begin. */
    static final int PARTIAL_SUMS = Kernels.PARTIALS * Float.BYTES;

    private static final int PADDING = 32;
    private static final int PADDING_OF_VECTOR = 24;
    private static final int LINE_BYTES = 64;

    private static final ScratchLayout LAYOUT = ScratchLayout.of(
            ScratchLayout.longs("source"),
            ScratchLayout.longs("query"),
            ScratchLayout.longs("query_bytes"),
            ScratchLayout.longs("head_dim"),
            ScratchLayout.longs("weights"),
            ScratchLayout.longs("fours"),
            ScratchLayout.longs("sums"),
            ScratchLayout.longs("count"),
            ScratchLayout.longs("groups"),
            ScratchLayout.longs("row_bytes"),
            ScratchLayout.longs("to"),
            ScratchLayout.longs("queries"),
            ScratchLayout.longs("saved"),
            ScratchLayout.floats("scale"),
            ScratchLayout.floats("other_scale"),
            ScratchLayout.longs("next"),
            ScratchLayout.longs("fours_left"),
            MemoryLayout.paddingLayout(PADDING),
            ScratchLayout.floats("cap"),
            ScratchLayout.floats("twice_cap"),
            MemoryLayout.paddingLayout(PADDING_OF_VECTOR),
            ScratchLayout.room("spare", LINE_BYTES),
            MemoryLayout.structLayout(constants()));

    // Arguments: offsets of addresses and counts.
    static final int SOURCE = LAYOUT.offset("source");
    static final int QUERY = LAYOUT.offset("query");
    static final int QUERY_BYTES = LAYOUT.offset("query_bytes");
    static final int HEAD_DIM = LAYOUT.offset("head_dim");
    static final int WEIGHTS = LAYOUT.offset("weights");
    static final int FOURS = LAYOUT.offset("fours");
    static final int SUMS = LAYOUT.offset("sums");
    static final int COUNT = LAYOUT.offset("count");
    static final int GROUPS = LAYOUT.offset("groups");
    static final int ROW_BYTES = LAYOUT.offset("row_bytes");
    static final int TO = LAYOUT.offset("to");
    static final int QUERIES = LAYOUT.offset("queries");
    static final int SAVED = LAYOUT.offset("saved");
    /** What will be the source next. */
    static final int NEXT = LAYOUT.offset("next");
    static final int FOURS_LEFT = LAYOUT.offset("fours_left");
    // and floats
    static final int SCALE = LAYOUT.offset("scale");
    static final int OTHER_SCALE = LAYOUT.offset("other_scale");
    /** The bound of capped scores. */
    static final int CAP = LAYOUT.offset("cap");
    /** Twice that. */
    static final int TWICE_CAP = LAYOUT.offset("twice_cap");
    /** A vector for the program's own use. */
    static final int SPARE = LAYOUT.offset("spare");

    private static final ThreadLocal<AttentionMemory> OF_THREAD = ThreadLocal.withInitial(AttentionMemory::new);

    /** Sixteen numbers of 32 bits. */
    enum Constant {
        MIN(FloatExp.MIN),
        LOG2_E(FloatExp.LOG2_E),
        ROUND(FloatExp.ROUND),
        MINUS_LN2_HIGH(FloatExp.MINUS_LN2_HIGH),
        MINUS_LN2_LOW(FloatExp.MINUS_LN2_LOW),
        P0(FloatExp.P0),
        P1(FloatExp.P1),
        P2(FloatExp.P2),
        P3(FloatExp.P3),
        P4(FloatExp.P4),
        P5(FloatExp.P5),
        ONE(1f),
        MINUS_INFINITY(Float.NEGATIVE_INFINITY),
        EXPONENT_BIAS(127, 0),
        /** Every second of 32 floats, from the first. */
        EVENS(0, 2),
        /** Every second of 32 floats, from the second. */
        ODDS(1, 2),
        MAX(FloatExp.MAX);

        private final int first;
        private final int step;

        Constant(float number) {
            this(Float.floatToRawIntBits(number), 0);
        }

        Constant(int first, int step) {
            this.first = first;
            this.step = step;
        }

        int offset() {
            return LAYOUT.offset(name());
        }
    }

    private final MemorySegment arguments = Arena.ofAuto().allocate(LAYOUT.bytes(), LINE_BYTES);
    MemorySegment queries = MemorySegment.NULL;
    MemorySegment tile = MemorySegment.NULL;
    MemorySegment weights = MemorySegment.NULL;
    MemorySegment fresh = MemorySegment.NULL;
    MemorySegment values = MemorySegment.NULL;
    MemorySegment results = MemorySegment.NULL;
    /** Of the segments so far, (queries). */
    float[] max = {};
    float[] sum = {};
    /** Of this segment, (queries). */
    float[] freshMax = {};
    float[] freshSum = {};

    private AttentionMemory() {
        for (Constant constant : Constant.values()) {
            for (int i = 0; i < LINE_BYTES / Integer.BYTES; i++) {
                arguments.set(ValueLayout.JAVA_INT, constant.offset() + (long) i * Integer.BYTES, constant.first + i * constant.step);
            }
        }
    }

    private static MemoryLayout[] constants() {
        return Arrays.stream(Constant.values())
                .map(constant -> ScratchLayout.room(constant.name(), LINE_BYTES)).toArray(MemoryLayout[]::new);
    }

    /** With room for so many queries. */
    static AttentionMemory ofThread(int queries, int headDim, int paddedDim) {
        AttentionMemory memory = OF_THREAD.get();
        memory.grow(queries, headDim, paddedDim);
        return memory;
    }

    private void grow(int count, int headDim, int paddedDim) {
        long padded = Math.ceilDiv(count, FOUR) * (long) FOUR;
        queries = grown(queries, padded * headDim * Float.BYTES);
        tile = grown(tile, (long) KvHead.BLOCK_POSITIONS * paddedDim * Float.BYTES);
        weights = grown(weights, padded * WEIGHTS_ROW_BYTES);
        fresh = grown(fresh, padded * paddedDim * Float.BYTES);
        values = grown(values, padded * paddedDim * Float.BYTES);
        results = grown(results, Math.max(padded * RESULT_BYTES, (long) paddedDim * Float.BYTES));
        if (max.length < count) {
            max = new float[count];
            sum = new float[count];
            freshMax = new float[count];
            freshSum = new float[count];
        }
    }

    private MemorySegment grown(MemorySegment memory, long bytes) {
        return memory.byteSize() < bytes ? Arena.ofAuto().allocate(bytes, LINE_BYTES) : memory; // the old one may go
    }

    MemorySegment arguments() {
        return arguments;
    }

    void set(int argument, long value) {
        arguments.set(ValueLayout.JAVA_LONG, argument, value);
    }

    void set(int argument, float value) {
        arguments.set(ValueLayout.JAVA_FLOAT, argument, value);
    }

    /** Where the weight of a query for a position of its segment is, in {@code weights}. */
    static long weightAt(int query, int t) {
        return (long) query * WEIGHTS_ROW_BYTES + (long) t * Float.BYTES;
    }
}
