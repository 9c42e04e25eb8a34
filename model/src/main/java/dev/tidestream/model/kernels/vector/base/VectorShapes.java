package dev.tidestream.model.kernels.vector.base;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector width of this process: the machine's preferred one, at least 128 bits, or {@code -Dtidestream.vector.bits=128|256|512}.
 * Widths differ in speed only: a panel's 32 rows are done in {@link #PARTS} parts.
 */
public final class VectorShapes {
    /** Floats. */
    public static final VectorSpecies<Float> F;
    /** As many ints. */
    public static final VectorSpecies<Integer> I;
    /** Twice as many shorts. */
    public static final VectorSpecies<Short> S;
    /** Half as wide: widening it gives an S. */
    public static final VectorSpecies<Byte> HALF_B;

    /** Chooses the width, whatever the machine prefers. */
    public static final String PROPERTY = "tidestream.vector.bits";

    /** What the machine prefers: 64 where the JVM makes no vector instructions at all (no C2). */
    public static final int PREFERRED_BITS = FloatVector.SPECIES_PREFERRED.vectorBitSize();

    /** Fewer are no use. */
    public static final int LEAST_BITS = 128;

    /** How panels are stored. */
    public static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

    static {
        int bits = Integer.getInteger(PROPERTY, Math.max(PREFERRED_BITS, LEAST_BITS));
        if (bits != LEAST_BITS && bits != 256 && bits != 512) {
            throw new IllegalArgumentException(PROPERTY + " must be 128, 256 or 512: bits=" + bits);
        }
        VectorShape shape = VectorShape.forBitSize(bits);
        F = FloatVector.SPECIES_128.withShape(shape);
        I = IntVector.SPECIES_128.withShape(shape);
        S = ShortVector.SPECIES_128.withShape(shape);
        HALF_B = ByteVector.SPECIES_128.withShape(VectorShape.forBitSize(bits / 2));
    }

    /** Bits of a vector. */
    public static final int BITS = F.vectorBitSize();

    /** Lanes of a float vector. */
    public static final int L = F.length();

    /**
     * All memory, for the kernels of one row. A segment's bounds are checked at every load, and such a check in a loop makes C2 cut
     * the loop in three; here the length is a constant, and an address that went through {@link #ADDRESS} needs no check. So
     * whoever reads through this has made sure that the bytes are there: see {@code VectorDecode}.
     */
    @SuppressWarnings("restricted") // native access is enabled, see PageArena
    public static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    /** Mask of addresses of processes: what remains is known to be no negative number. */
    public static final long ADDRESS = 0x7fff_ffff_ffffL;

    /** Parts of a panel: each is L rows from row {@code part * L} and L rows from row {@code 16 + part * L}. */
    public static final int PARTS = 16 / L;

    private VectorShapes() {}
}
