package dev.tidestream.model.kernels.jit.attention;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;

/**
 * What {@link MachineAttention} needs, for one thread: arguments and constants of its programs, and off-heap, at cache lines, what
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

    // Arguments: offsets of addresses and counts.
    static final int SOURCE = 0;
    static final int QUERY = 8;
    static final int QUERY_BYTES = 16;
    static final int HEAD_DIM = 24;
    static final int WEIGHTS = 32;
    static final int FOURS = 40;
    static final int SUMS = 48;
    static final int COUNT = 56;
    static final int GROUPS = 64;
    static final int ROW_BYTES = 72;
    static final int TO = 80;
    static final int QUERIES = 88;
    static final int SAVED = 96;
    /** What will be the source next. */
    static final int NEXT = 112;
    static final int FOURS_LEFT = 120;
    // and floats
    static final int SCALE = 104;
    static final int OTHER_SCALE = 108;
    /** The bound of capped scores, and twice that. */
    static final int CAP = 160;
    static final int TWICE_CAP = 164;
    /** A vector for the program's own use. */
    static final int SPARE = 192;
    private static final int CONSTANTS = 256;
    private static final int LINE_BYTES = 64;

    private static final ThreadLocal<AttentionMemory> OF_THREAD = ThreadLocal.withInitial(AttentionMemory::new);

    /** Sixteen numbers of 32 bits. */
    enum Constant {
        MIN(0, FloatExp.MIN),
        LOG2_E(1, FloatExp.LOG2_E),
        ROUND(2, FloatExp.ROUND),
        MINUS_LN2_HIGH(3, FloatExp.MINUS_LN2_HIGH),
        MINUS_LN2_LOW(4, FloatExp.MINUS_LN2_LOW),
        P0(5, FloatExp.P0),
        P1(6, FloatExp.P1),
        P2(7, FloatExp.P2),
        P3(8, FloatExp.P3),
        P4(9, FloatExp.P4),
        P5(10, FloatExp.P5),
        ONE(11, 1f),
        MINUS_INFINITY(12, Float.NEGATIVE_INFINITY),
        EXPONENT_BIAS(13, 127, 0),
        /** Every second of 32 floats, from the first. */
        EVENS(14, 0, 2),
        /** Every second of 32 floats, from the second. */
        ODDS(15, 1, 2),
        MAX(16, FloatExp.MAX);

        private final int place;
        private final int first;
        private final int step;

        Constant(int place, float number) {
            this(place, Float.floatToRawIntBits(number), 0);
        }

        Constant(int place, int first, int step) {
            this.place = place;
            this.first = first;
            this.step = step;
        }

        int offset() {
            return CONSTANTS + place * LINE_BYTES;
        }
    }

    private final MemorySegment arguments = Arena.ofAuto().allocate(CONSTANTS + Constant.values().length * LINE_BYTES, LINE_BYTES);
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
