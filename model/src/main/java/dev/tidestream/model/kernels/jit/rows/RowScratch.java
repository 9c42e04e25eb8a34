package dev.tidestream.model.kernels.jit.rows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

import dev.tidestream.model.kernels.jit.base.ScratchLayout;
import dev.tidestream.model.tensor.Kernels;

/** What a call of {@link GeneratedRows} needs, for one thread: constants and arguments, at the offsets that programs have. */
final class RowScratch {
    private static final ScratchLayout LAYOUT = ScratchLayout.of(
            MemoryLayout.structLayout(constants()),
            ScratchLayout.longs("first_offset"),
            ScratchLayout.longs("second_offset"),
            ScratchLayout.longs("third_offset"),
            ScratchLayout.longs("groups"),
            ScratchLayout.longs("groups_of_a_tile"),
            ScratchLayout.floats("float"),
            ScratchLayout.floats("mean"),
            ValueLayout.JAVA_DOUBLE.withName("max"),
            ValueLayout.JAVA_DOUBLE.withName("divisor"),
            ScratchLayout.longs("fine"),
            ScratchLayout.longs("bias_distance"),
            ScratchLayout.floats("cap"),
            ScratchLayout.floats("twice_cap"));

    /** Bytes from the beginning of an array to where a kernel starts, for its three arrays. */
    static final int FIRST_OFFSET = LAYOUT.offset("first_offset");
    static final int SECOND_OFFSET = LAYOUT.offset("second_offset");
    static final int THIRD_OFFSET = LAYOUT.offset("third_offset");
    /** Groups of values to go. */
    static final int GROUPS = LAYOUT.offset("groups");
    /** Groups that make a tile of maxima. */
    static final int GROUPS_OF_A_TILE = LAYOUT.offset("groups_of_a_tile");
    /** A float: what a row is multiplied with, or a threshold. */
    static final int FLOAT = LAYOUT.offset("float");
    /** A float that is subtracted. */
    static final int MEAN = LAYOUT.offset("mean");
    /** A double that is subtracted. */
    static final int MAX = LAYOUT.offset("max");
    /** A double: the divisor of the differences. */
    static final int DIVISOR = LAYOUT.offset("divisor");
    /** Whether {@code exp} was right for all: {@link #ALL}, or not. */
    static final int FINE = LAYOUT.offset("fine");
    /** Bytes from weights to biases. */
    static final int BIAS_DISTANCE = LAYOUT.offset("bias_distance");
    /** A float: the bound of capped values. */
    static final int CAP = LAYOUT.offset("cap");
    /** Twice that. */
    static final int TWICE_CAP = LAYOUT.offset("twice_cap");
    /** Eight signs. */
    static final long ALL = 0xff;

    /** Blocks that a call of {@code atLeast} looks at. */
    static final int BLOCKS = 256;
    private static final int ALIGNMENT = 64;

    private final MemorySegment memory = Arena.ofAuto().allocate(LAYOUT.bytes(), ALIGNMENT);
    private final float[] partials = new float[Kernels.PARTIALS];
    private final long[] reached = new long[BLOCKS + 1];

    RowScratch() {
        for (RowConstant constant : RowConstant.values()) {
            for (int at = 0; at < RowConstant.VECTOR_BYTES; at += Long.BYTES) {
                set(constant.offset() + at, constant.bits());
            }
        }
    }

    private static MemoryLayout[] constants() {
        return Arrays.stream(RowConstant.values())
                .map(constant -> ScratchLayout.room(constant.name(), RowConstant.VECTOR_BYTES)).toArray(MemoryLayout[]::new);
    }

    static int offset(RowConstant constant) {
        return LAYOUT.offset(constant.name());
    }

    MemorySegment memory() {
        return memory;
    }

    float[] partials() {
        return partials;
    }

    /** Per block, which of its values reach a threshold; and 7 bytes to write to. */
    long[] reached() {
        return reached;
    }

    void set(int argument, long value) {
        memory.set(ValueLayout.JAVA_LONG, argument, value);
    }

    void set(int argument, float value) {
        memory.set(ValueLayout.JAVA_FLOAT, argument, value);
    }

    void set(int argument, double value) {
        memory.set(ValueLayout.JAVA_DOUBLE, argument, value);
    }

    long get(int argument) {
        return memory.get(ValueLayout.JAVA_LONG, argument);
    }
}
