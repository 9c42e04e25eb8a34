package dev.tidestream.model.kernels.jit.rows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.tensor.Kernels;

/** What a call of {@link MachineRows} needs, for one thread: constants and arguments, at the offsets that programs have. */
final class RowScratch {
    static final int CONSTANTS = 0;
    /** How many bytes behind the beginning of an array a program starts, for its three arrays. */
    static final int FIRST_OFFSET = CONSTANTS + RowConstant.ROOM_BYTES;
    static final int SECOND_OFFSET = FIRST_OFFSET + 8;
    static final int THIRD_OFFSET = FIRST_OFFSET + 16;
    /** How often a program does what it does, and how many groups make a tile of maxima. */
    static final int GROUPS = FIRST_OFFSET + 24;
    static final int GROUPS_OF_A_TILE = FIRST_OFFSET + 32;
    /** A float: what a row is multiplied with, or a threshold. */
    static final int FLOAT = FIRST_OFFSET + 40;
    /** A float that is subtracted. */
    static final int MEAN = FIRST_OFFSET + 44;
    /** Doubles: what is subtracted, and what the differences are divided by. */
    static final int MAX = FIRST_OFFSET + 48;
    static final int DIVISOR = FIRST_OFFSET + 56;
    /** Whether {@code exp} was right for all: {@link #ALL}, or not. */
    static final int FINE = FIRST_OFFSET + 64;
    /** Bytes from weights to biases. */
    static final int BIAS_DISTANCE = FIRST_OFFSET + 72;
    /** Floats: the bound of capped values, and twice that. */
    static final int CAP = FIRST_OFFSET + 80;
    static final int TWICE_CAP = FIRST_OFFSET + 84;
    /** Eight signs. */
    static final long ALL = 0xff;

    /** Blocks that a call of {@code atLeast} looks at. */
    static final int BLOCKS = 256;
    private static final int BYTES = TWICE_CAP + 4;
    private static final int ALIGNMENT = 64;

    private final MemorySegment memory = Arena.ofAuto().allocate(BYTES, ALIGNMENT);
    private final float[] partials = new float[Kernels.PARTIALS];
    private final long[] reached = new long[BLOCKS + 1];

    RowScratch() {
        for (RowConstant constant : RowConstant.values()) {
            for (int at = 0; at < RowConstant.VECTOR_BYTES; at += Long.BYTES) {
                set(constant.offset() + at, constant.bits());
            }
        }
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
