package dev.tidestream.model.format;

import java.util.Arrays;
import java.util.Optional;

import dev.tidestream.model.format.base.ActivationScaling;
import dev.tidestream.model.format.base.BlockShape;
import dev.tidestream.model.format.base.Format;
import dev.tidestream.model.format.base.PlainFormat;
import dev.tidestream.model.format.base.QuantFormat;
import dev.tidestream.model.format.base.Rounding;
import dev.tidestream.model.format.bf16.BF16;
import dev.tidestream.model.format.f16.F16;
import dev.tidestream.model.format.f32.F32;
import dev.tidestream.model.format.i2s.I2S;
import dev.tidestream.model.format.iq4nl.IQ4NL;
import dev.tidestream.model.format.q2k.Q2K;
import dev.tidestream.model.format.q3k.Q3K;
import dev.tidestream.model.format.q40.Q40;
import dev.tidestream.model.format.q41.Q41;
import dev.tidestream.model.format.q4k.Q4K;
import dev.tidestream.model.format.q50.Q50;
import dev.tidestream.model.format.q51.Q51;
import dev.tidestream.model.format.q5k.Q5K;
import dev.tidestream.model.format.q6k.Q6K;
import dev.tidestream.model.format.q80.Q80;
import dev.tidestream.model.format.tq10.TQ10;
import dev.tidestream.model.format.tq20.TQ20;

/**
 * The element formats that kernels compute with: the list of them, a line each, under the names that GGUF has for them. What a
 * format is stands in its package.
 */
@SuppressWarnings("ImmutableEnumChecker") // formats are stateless
public enum TensorFormat {
    F32(new F32()),
    F16(new F16()),
    BF16(new BF16()),
    Q8_0(new Q80()),
    Q4_0(new Q40()),
    Q4_K(new Q4K()),
    Q5_K(new Q5K()),
    Q6_K(new Q6K()),
    Q4_1(new Q41()),
    Q5_0(new Q50()),
    Q5_1(new Q51()),
    IQ4_NL(new IQ4NL()),
    Q2_K(new Q2K()),
    Q3_K(new Q3K()),
    TQ1_0(new TQ10()),
    TQ2_0(new TQ20()),
    I2_S(new I2S());

    private static final int LEAST_ROW_BLOCK = 32;

    private final Format format;
    private final BlockShape shape;

    TensorFormat(Format format) {
        this.format = format;
        this.shape = format.shape();
    }

    /** The format that GGUF calls so, if it is one of these. */
    public static Optional<TensorFormat> find(String ggmlType) {
        return Arrays.stream(values()).filter(format -> format.name().equals(ggmlType)).findFirst();
    }

    /** What it is. */
    public Format format() {
        return format;
    }

    /**
     * What it is, if elements are floats, each alone.
     *
     * @throws IllegalArgumentException if it is quantised
     */
    public PlainFormat plain() {
        if (format instanceof PlainFormat plain) {
            return plain;
        }
        throw new IllegalArgumentException("a vector cannot be quantised: " + this);
    }

    /**
     * What it is, if elements are integers with scales.
     *
     * @throws IllegalArgumentException if it is not quantised
     */
    public QuantFormat quants() {
        if (format instanceof QuantFormat quants) {
            return quants;
        }
        throw new IllegalArgumentException("not quantised: " + this);
    }

    /** How activations are made int8 for it; of a format that is not quantised, it does not matter. */
    public ActivationScaling activations() {
        return format instanceof QuantFormat quants ? quants.activations() : ActivationScaling.BLOCK;
    }

    /** Its sizes. */
    public BlockShape shape() {
        return shape;
    }

    /** How products with it are rounded. */
    public Rounding rounding() {
        return format.rounding();
    }

    /** Elements of a block; rows are whole numbers of blocks. */
    public int blockElements() {
        return shape.columns();
    }

    /** Bytes of a block in a file. */
    public int blockBytes() {
        return shape.fileBytes();
    }

    /** Whether elements are integers with scales. */
    public boolean quantised() {
        return shape.columns() > 1;
    }

    /** Whether columns of the matrix come in super-blocks of some blocks. */
    public boolean superBlocks() {
        return shape.blocks() > 1;
    }

    /** Columns that are encoded at a time; in a row that is no multiple of it, the last may be fewer. */
    public int rowBlock() {
        return Math.max(LEAST_ROW_BLOCK, shape.columns());
    }

    /**
     * This format, or what takes its place where rows of so many columns are no whole number of its blocks: the next that has
     * blocks of 32
     * columns and about as many bits, as llama.cpp chooses it, or F16.
     */
    public TensorFormat fitting(int columns) {
        if (columns % blockElements() == 0) {
            return this;
        }
        return switch (this) {
            case Q2_K, Q3_K -> IQ4_NL.fitting(columns);
            case TQ1_0, TQ2_0 -> Q4_0.fitting(columns);
            case Q4_K -> Q5_0.fitting(columns);
            case Q5_K -> Q5_1.fitting(columns);
            case Q6_K -> Q8_0.fitting(columns);
            case F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, IQ4_NL, I2_S -> F16;
        };
    }

    /** Bytes of one row of {@code columns} elements in a GGUF file. */
    public long rowBytes(int columns) {
        return shape.rowBytes(columns);
    }

    /** Bytes of one panel. */
    public long panelBytes(int columns) {
        return shape.panelBytes(columns);
    }
}
