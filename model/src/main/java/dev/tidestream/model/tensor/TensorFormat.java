package dev.tidestream.model.tensor;

/**
 * The element formats that kernels compute with. Block sizes are those of GGUF files; a panel holds just as many bytes (see
 * {@link PanelLayout}).
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
    Q4_0(32, 18);

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

    /** Bytes of one row of {@code columns} elements. */
    public long rowBytes(int columns) {
        return (long) columns / blockElements * blockBytes;
    }
}
