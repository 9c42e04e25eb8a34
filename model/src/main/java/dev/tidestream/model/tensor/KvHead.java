package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;

import dev.tidestream.model.format.base.PanelLayout;

/**
 * The cached keys and values of one sequence, layer and key/value head, in blocks of {@link #BLOCK_POSITIONS} positions.
 *
 * <pre>
 * keys in a block:   headDim x 32, dimension by dimension: a lane is a position
 * values in a block: 32 x paddedDim, position by position: a lane is a dimension
 *
 * F32: 32 lanes in order
 * F16: 16 pairs, as in panels: pair i has lane i in its lower half, lane 16 + i in its upper half
 * </pre>
 *
 * Values have {@link #paddedDim} dimensions, whole groups of 32; what lies beyond headDim is never written, nor used.
 *
 * @param blocks off-heap blocks in order of position
 * @param keyOffset bytes from a block's start to this head's keys
 * @param valueOffset bytes from a block's start to this head's values
 * @param headDim elements per position
 * @param type of the elements
 */
public record KvHead(MemorySegment[] blocks, long keyOffset, long valueOffset, int headDim, KvType type) {
    /** Positions per block. */
    public static final int BLOCK_POSITIONS = 32;

    private static final int GROUP = 32;
    private static final float LARGEST_F16 = 65504f;

    /** Bytes of a block's keys. */
    public static long keyBytes(int headDim, KvType type) {
        return (long) headDim * BLOCK_POSITIONS * type.elementBytes();
    }

    /** Bytes of a block's values. */
    public static long valueBytes(int headDim, KvType type) {
        return (long) BLOCK_POSITIONS * paddedDim(headDim) * type.elementBytes();
    }

    /** Dimensions of a stored value. */
    public static int paddedDim(int headDim) {
        return Math.ceilDiv(headDim, GROUP) * GROUP;
    }

    public int paddedDim() {
        return paddedDim(headDim);
    }

    /**
     * Writes the key and value of one position.
     *
     * @param key (headDim) from {@code keyFrom}
     * @param value (headDim) from {@code valueFrom}
     * @return whether all of them are finite; F16 has no place for others and stores numbers instead
     */
    public boolean put(int position, float[] key, int keyFrom, float[] value, int valueFrom) {
        MemorySegment block = blocks[position / BLOCK_POSITIONS];
        int slot = position % BLOCK_POSITIONS;
        long valuesAt = valueOffset + (long) slot * paddedDim() * type.elementBytes();
        float test = 0f; // infinity and NaN times 0 are NaN
        switch (type) {
            case F32 -> {
                for (int d = 0; d < headDim; d++) {
                    float k = key[keyFrom + d];
                    float v = value[valueFrom + d];
                    block.set(PanelLayout.FLOAT, keyOffset + ((long) d * BLOCK_POSITIONS + slot) * Float.BYTES, k);
                    block.set(PanelLayout.FLOAT, valuesAt + (long) d * Float.BYTES, v);
                    test += k * 0f + v * 0f;
                }
            }
            case F16 -> {
                long lane = keyOffset + half(slot);
                for (int d = 0; d < headDim; d++) {
                    float k = key[keyFrom + d];
                    float v = value[valueFrom + d];
                    block.set(PanelLayout.SHORT, lane + (long) d * BLOCK_POSITIONS * Short.BYTES, toF16(k));
                    block.set(PanelLayout.SHORT, valuesAt + half(d), toF16(v));
                    test += k * 0f + v * 0f;
                }
            }
        }
        return test == 0f;
    }

    /** Bytes from the start of a run of F16 to lane i. */
    private static long half(int i) {
        return (long) (i / GROUP) * GROUP * Short.BYTES + i % 16 * 2L * Short.BYTES + i % GROUP / 16 * (long) Short.BYTES;
    }

    private static short toF16(float value) {
        return Float.floatToFloat16(Math.clamp(value, -LARGEST_F16, LARGEST_F16));
    }

    /** One element of a key, as attention sees it. */
    public float key(int position, int d) {
        MemorySegment block = blocks[position / BLOCK_POSITIONS];
        int slot = position % BLOCK_POSITIONS;
        long row = keyOffset + (long) d * BLOCK_POSITIONS * type.elementBytes();
        return switch (type) {
            case F32 -> block.get(PanelLayout.FLOAT, row + (long) slot * Float.BYTES);
            case F16 -> Float.float16ToFloat(block.get(PanelLayout.SHORT, row + half(slot)));
        };
    }

    /** One element of a value, as attention sees it. */
    public float value(int position, int d) {
        MemorySegment block = blocks[position / BLOCK_POSITIONS];
        long row = valueOffset + (long) (position % BLOCK_POSITIONS) * paddedDim() * type.elementBytes();
        return switch (type) {
            case F32 -> block.get(PanelLayout.FLOAT, row + (long) d * Float.BYTES);
            case F16 -> Float.float16ToFloat(block.get(PanelLayout.SHORT, row + half(d)));
        };
    }
}
