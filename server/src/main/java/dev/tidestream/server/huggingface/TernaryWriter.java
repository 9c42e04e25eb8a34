package dev.tidestream.server.huggingface;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

import dev.tidestream.model.gguf.GgufException;

/**
 * Writes a tensor of the type I2_S: 128 codes of two bits in 32 bytes, those of a byte 32 apart and the first the highest, then one
 * float32 scale in 32 bytes. A code is the weight over the scale, plus 1.
 */
final class TernaryWriter {
    static final int MASK = 3;
    static final int GROUP = 128;
    private static final int GROUP_BYTES = 32;
    private static final int TAIL_BYTES = 32;

    private final MemorySegment out;
    private final byte[] group = new byte[GROUP_BYTES];
    private long offset;
    private int inGroup;

    /**
     * @param out of all codes and the scale
     * @param name of the tensor that has the scale, for messages
     */
    TernaryWriter(MemorySegment out, float scale, String name) {
        if (!Float.isFinite(scale)) {
            throw new GgufException("tensor %s gives a scale that is not finite: %s".formatted(GgufException.quote(name), scale));
        }
        this.out = out;
        long tail = out.byteSize() - TAIL_BYTES;
        out.asSlice(tail).fill((byte) 0);
        out.set(Recipe.F32, tail, scale);
    }

    /** The code of the next weight, 0 to 2. */
    void next(int code) {
        int at = inGroup % GROUP_BYTES;
        group[at] |= (byte) (code << (2 * (GROUP / GROUP_BYTES - 1 - inGroup / GROUP_BYTES)));
        inGroup++;
        if (inGroup == GROUP) {
            MemorySegment.copy(group, 0, out, ValueLayout.JAVA_BYTE, offset, GROUP_BYTES);
            Arrays.fill(group, (byte) 0);
            offset += GROUP_BYTES;
            inGroup = 0;
        }
    }
}
