package dev.tidestream.model.kernels.jit;

import java.util.EnumMap;
import java.util.Map;
import java.util.function.Function;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.jit.avx2.FloatCode;
import dev.tidestream.model.kernels.jit.avx2.FloatCodeQ40;
import dev.tidestream.model.kernels.jit.avx2.FloatCodeQ6K;
import dev.tidestream.model.kernels.jit.avx2.FloatCodeQ80;
import dev.tidestream.model.kernels.jit.avx2.PlainColumn;
import dev.tidestream.model.kernels.jit.avx2.QuadCode;
import dev.tidestream.model.kernels.jit.avx2.QuadCodeQ40;
import dev.tidestream.model.kernels.jit.avx2.QuadCodeQ4K;
import dev.tidestream.model.kernels.jit.avx2.QuadCodeQ5K;
import dev.tidestream.model.kernels.jit.avx2.QuadCodeQ6K;
import dev.tidestream.model.kernels.jit.avx2.QuadCodeQ80;
import dev.tidestream.model.kernels.jit.avx2.QuadCodeTernary;
import dev.tidestream.model.kernels.jit.avx512.WideCode;
import dev.tidestream.model.kernels.jit.avx512.WideCodeQ40;
import dev.tidestream.model.kernels.jit.avx512.WideCodeQ4K;
import dev.tidestream.model.kernels.jit.avx512.WideCodeQ5K;
import dev.tidestream.model.kernels.jit.avx512.WideCodeQ6K;
import dev.tidestream.model.kernels.jit.avx512.WideCodeQ80;
import dev.tidestream.model.kernels.jit.avx512.WideCodeTernary;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.kernels.jit.chain.ChainCode;
import dev.tidestream.model.kernels.jit.chain.ChainCodeQ4K;
import dev.tidestream.model.kernels.jit.chain.ChainCodeQ5K;
import dev.tidestream.model.machine.Assembler;

/**
 * How the emitters take weights of a format out of a panel; what is not here is left to other kernels. They stand here and not in
 * the packages of the formats: docs/adr/0020-formats-as-data.md.
 */
final class Recipes {
    /** AVX2, with int8 activations. */
    static final Map<TensorFormat, Function<Assembler, QuadCode>> QUADS = new EnumMap<>(Map.of(
            TensorFormat.Q4_0, QuadCodeQ40::new,
            TensorFormat.Q8_0, QuadCodeQ80::new,
            TensorFormat.Q4_K, QuadCodeQ4K::new,
            TensorFormat.Q5_K, QuadCodeQ5K::new,
            TensorFormat.Q6_K, QuadCodeQ6K::new,
            TensorFormat.TQ1_0, code -> new QuadCodeTernary(code, TensorFormat.TQ1_0),
            TensorFormat.TQ2_0, code -> new QuadCodeTernary(code, TensorFormat.TQ2_0),
            TensorFormat.I2_S, code -> new QuadCodeTernary(code, TensorFormat.I2_S)));

    /** AVX2, with floats. */
    static final Map<TensorFormat, Function<Assembler, FloatCode>> FLOATS = new EnumMap<>(Map.of(
            TensorFormat.Q4_0, FloatCodeQ40::new,
            TensorFormat.Q8_0, FloatCodeQ80::new,
            TensorFormat.Q6_K, FloatCodeQ6K::new));

    /** AVX-512, with int8 activations and floats. */
    static final Map<TensorFormat, Function<Assembler, WideCode>> WIDE = new EnumMap<>(Map.of(
            TensorFormat.Q4_0, WideCodeQ40::new,
            TensorFormat.Q8_0, WideCodeQ80::new,
            TensorFormat.Q4_K, WideCodeQ4K::new,
            TensorFormat.Q5_K, WideCodeQ5K::new,
            TensorFormat.Q6_K, WideCodeQ6K::new,
            TensorFormat.TQ1_0, code -> new WideCodeTernary(code, TensorFormat.TQ1_0),
            TensorFormat.TQ2_0, code -> new WideCodeTernary(code, TensorFormat.TQ2_0),
            TensorFormat.I2_S, code -> new WideCodeTernary(code, TensorFormat.I2_S)));

    /** AVX2 and AVX-512, with floats, in one chain for all columns. */
    static final Map<TensorFormat, Function<Lanes, ChainCode>> CHAINS = new EnumMap<>(Map.of(
            TensorFormat.Q4_K, ChainCodeQ4K::new,
            TensorFormat.Q5_K, ChainCodeQ5K::new));

    /** AVX2 (one row) and AVX-512 (several), elements with floats. */
    static final Map<TensorFormat, PlainColumn> PLAIN = new EnumMap<>(Map.of(
            TensorFormat.F32, PlainColumn.F32,
            TensorFormat.F16, PlainColumn.F16,
            TensorFormat.BF16, PlainColumn.BF16));

    private Recipes() {}
}
