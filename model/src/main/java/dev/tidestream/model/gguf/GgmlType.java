package dev.tidestream.model.gguf;

import java.util.Optional;

/**
 * The element types of tensors: every public ggml type, so that any file can be sized and listed, also where the model
 * computes with a few of them only. Source: ggml's type table; {@code I2_S} is Microsoft's (id 36).
 *
 * <p>A row is cut into blocks of {@link #blockElements()} consecutive elements, {@link #blockBytes()} bytes each.
 */
public enum GgmlType {
    F32(0, 1, 4),
    F16(1, 1, 2),
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, 32, 34),
    Q8_1(9, 32, 36),
    Q2_K(10, 256, 84),
    Q3_K(11, 256, 110),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210),
    Q8_K(15, 256, 292),
    IQ2_XXS(16, 256, 66),
    IQ2_XS(17, 256, 74),
    IQ3_XXS(18, 256, 98),
    IQ1_S(19, 256, 50),
    IQ4_NL(20, 32, 18),
    IQ3_S(21, 256, 110),
    IQ2_S(22, 256, 82),
    IQ4_XS(23, 256, 136),
    I8(24, 1, 1),
    I16(25, 1, 2),
    I32(26, 1, 4),
    I64(27, 1, 8),
    F64(28, 1, 8),
    IQ1_M(29, 256, 56),
    BF16(30, 1, 2),
    TQ1_0(34, 256, 54),
    TQ2_0(35, 256, 66),
    /** Codes of the whole tensor, then 32 bytes that begin with its one float32 scale. */
    I2_S(36, 128, 32, 32),
    MXFP4(39, 32, 17),
    NVFP4(40, 64, 36),
    Q1_0(41, 128, 18),
    Q2_0(42, 64, 18);

    private static final GgmlType[] BY_ID = byId();

    private final int id;
    private final int blockElements;
    private final int blockBytes;
    private final int tailBytes;

    GgmlType(int id, int blockElements, int blockBytes) {
        this(id, blockElements, blockBytes, 0);
    }

    GgmlType(int id, int blockElements, int blockBytes, int tailBytes) {
        this.id = id;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
        this.tailBytes = tailBytes;
    }

    /** The type with this id in a file, if there is one. */
    public static Optional<GgmlType> ofId(int id) {
        return id < 0 || id >= BY_ID.length ? Optional.empty() : Optional.ofNullable(BY_ID[id]);
    }

    private static GgmlType[] byId() {
        GgmlType[] types = new GgmlType[Q2_0.id + 1];
        for (GgmlType type : values()) {
            types[type.id] = type;
        }
        return types;
    }

    /** The number that stands for this type in a file. */
    public int id() {
        return id;
    }

    /** Elements per block; dimension 0 of a tensor is a multiple of it. */
    public int blockElements() {
        return blockElements;
    }

    /** Bytes per block. */
    public int blockBytes() {
        return blockBytes;
    }

    /**
     * Bytes of a tensor of {@code elements}, a multiple of {@link #blockElements()}.
     *
     * @throws ArithmeticException if that is more than a {@code long} holds
     * @throws IllegalArgumentException if the elements do not fill whole blocks
     */
    public long bytes(long elements) {
        if (elements < 0 || elements % blockElements != 0) {
            throw new IllegalArgumentException(
                    "%s has blocks of %d elements: elements=%d".formatted(this, blockElements, elements));
        }
        return Math.addExact(Math.multiplyExact(elements / blockElements, (long) blockBytes), tailBytes);
    }
}
