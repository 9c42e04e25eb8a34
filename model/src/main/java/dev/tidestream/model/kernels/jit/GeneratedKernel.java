package dev.tidestream.model.kernels.jit;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

import dev.tidestream.model.kernels.jit.attention.AttentionPrograms;
import dev.tidestream.model.kernels.jit.avx2.RecordEmitter;
import dev.tidestream.model.kernels.jit.rows.GeneratedRows;
import dev.tidestream.model.kernels.jit.tile.TileKernels;
import dev.tidestream.model.machine.Assembler;

/**
 * A generated kernel by its name, to be read. It is written anew for that, on any processor, and not run. Immutable; any thread.
 *
 * @param family a format of weights, such as {@code q4_0}; or {@code activations}, {@code attention}, {@code rows} or
 *     {@code tiles}
 * @param name what it does, such as {@code row}, {@code float_rows} or {@code softmax}
 * @param level of instructions it is written for
 * @param writer writes it
 */
public record GeneratedKernel(String family, String name, Level level, Consumer<Assembler> writer) {
    /** Instructions that kernels are written for. */
    public enum Level {
        AVX2,
        AVX512
    }

    /**
     * One instruction of a listing.
     *
     * @param offset bytes before it
     * @param labels names of this place
     * @param hex its bytes, such as {@code c5 f8 77}
     * @param text mnemonic and operands in Intel's order, such as {@code add rcx, 64}
     */
    public record Line(int offset, List<String> labels, String hex, String text) {
        /** Takes a copy. */
        public Line {
            labels = List.copyOf(labels);
        }
    }

    /** All kernels of a level. Those that a process with AVX-512 runs as AVX2 code are there for both. */
    public static List<GeneratedKernel> all(Level level) {
        boolean wide = level == Level.AVX512;
        List<GeneratedKernel> all = new ArrayList<>();
        for (ProductKernels.Source source : ProductKernels.sources(wide)) {
            all.add(of(source.format().name(), source.kind().name(), level, source.writer()));
        }
        all.add(of("ACTIVATIONS", "QUANTISE", level, RecordEmitter::write));
        addAll(all, "ATTENTION", level, AttentionPrograms.sources(wide));
        addAll(all, "ROWS", level, GeneratedRows.sources());
        addAll(all, "TILES", level, TileKernels.sources());
        return List.copyOf(all);
    }

    private static void addAll(List<GeneratedKernel> all, String family, Level level, Map<String, Consumer<Assembler>> sources) {
        sources.forEach((name, writer) -> all.add(of(family, name, level, writer)));
    }

    private static GeneratedKernel of(String family, String name, Level level, Consumer<Assembler> writer) {
        return new GeneratedKernel(family.toLowerCase(Locale.ROOT), name.toLowerCase(Locale.ROOT), level, writer);
    }

    /** Its bytes. */
    public byte[] code() {
        Assembler code = new Assembler();
        writer.accept(code);
        return code.toByteArray();
    }

    /** Its instructions, in the order of the code, without gaps. */
    public List<Line> listing() {
        Assembler code = Assembler.withListing();
        writer.accept(code);
        return code.listing().instructions().stream()
                .map(one -> new Line(one.offset(), one.labels(), one.hex(), one.text())).toList();
    }
}
