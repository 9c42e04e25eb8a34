package dev.tidestream.model.tensor;

/**
 * The element formats that kernels compute with. Block sizes are those of GGUF files; a panel holds just as many bytes, or up to
 * 3 % more for Q4_K and Q5_K, whose 6-bit scales it widens (see {@link PanelLayout}).
 */
public enum TensorFormat {
    /** IEEE single precision. */
    F32(1, 4),
    /** IEEE half precision. */
    F16(1, 2),
    /** The upper half of a single. */
    BF16(1, 2),
    /** 32 signed bytes and one F16 scale: {@code w = d * q}. */
    Q8_0(32, 34),
    /** 32 nibbles and one F16 scale: {@code w = d * (q - 8)}. */
    Q4_0(32, 18),
    /** 8 blocks of 32 nibbles, each with a 6-bit scale and minimum; two F16: {@code w = d * scale * q - dmin * min}. */
    Q4_K(256, 144),
    /** Like Q4_K with 5-bit integers. */
    Q5_K(256, 176),
    /** 16 blocks of 16 integers of 6 bits, each with an int8 scale; one F16: {@code w = d * scale * (q - 32)}. */
    Q6_K(256, 210);

    private final int blockElements;
    private final int blockBytes;

    TensorFormat(int blockElements, int blockBytes) {
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    /** Elements of a block; rows are whole numbers of blocks. */
    public int blockElements() {
        return blockElements;
    }

    /** Bytes of a block. */
    public int blockBytes() {
        return blockBytes;
    }

    /** Whether elements are integers with a scale per block. */
    public boolean quantised() {
        return blockElements > 1;
    }

    /** Whether it is one of the formats with super-blocks of 256 columns. */
    public boolean superBlocks() {
        return blockElements == 256;
    }

    /** Bytes of one row of {@code columns} elements in a GGUF file. */
    public long rowBytes(int columns) {
        return (long) columns / blockElements * blockBytes;
    }
}
