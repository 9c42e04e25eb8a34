package dev.tidestream.server.cli.bench;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import dev.tidestream.model.kernels.jit.GeneratedKernel;

/** {@code bench listing}: the instructions of a generated kernel, on any machine; it is not run. */
@Command(
        name = "listing",
        description = {
            "Prints the instructions of a generated kernel: offset, bytes, mnemonic and operands, with labels.",
            "Without a name: the kernels of a level, with their sizes."},
        footer = {
            "",
            "Examples:",
            "  tidestream bench listing",
            "  tidestream bench listing q4_0 row avx512",
            "  tidestream bench listing attention softmax avx2"})
final class BenchListingCommand implements Callable<Integer> {
    private static final String DEFAULT_LEVEL = "avx512";

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(index = "0", arity = "0..1", paramLabel = "FAMILY",
            description = "A format of weights (q4_0, q6_k, f16, ...), or activations, attention or rows.")
    private @Nullable String family;

    @Parameters(index = "1", arity = "0..1", paramLabel = "KERNEL",
            description = "row or rows (int8 activations), float_row or float_rows; quantise, softmax, ...")
    private @Nullable String kernel;

    @Parameters(index = "2", arity = "0..1", paramLabel = "LEVEL", defaultValue = DEFAULT_LEVEL,
            description = "avx2 or avx512 (default: ${DEFAULT-VALUE}).")
    private String level = DEFAULT_LEVEL;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        List<GeneratedKernel> all = GeneratedKernel.all(level());
        List<GeneratedKernel> found = all.stream()
                .filter(one -> family == null || one.family().equals(family))
                .filter(one -> kernel == null || one.name().equals(kernel))
                .toList();
        if (found.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "no such generated kernel: family=%s, kernel=%s, level=%s; there are: %s"
                    .formatted(family, kernel, level, String.join(", ", names(all))));
        }
        if (family != null && kernel != null) {
            found.forEach(one -> print(out, one));
        } else {
            printNames(out, found);
        }
        return 0;
    }

    private GeneratedKernel.Level level() {
        return switch (level) {
            case "avx2" -> GeneratedKernel.Level.AVX2;
            case "avx512" -> GeneratedKernel.Level.AVX512;
            default -> throw new ParameterException(spec.commandLine(), "LEVEL must be avx2 or avx512: " + level);
        };
    }

    private static List<String> names(List<GeneratedKernel> kernels) {
        List<String> names = new ArrayList<>();
        kernels.forEach(one -> names.add(one.family() + " " + one.name()));
        return names;
    }

    private static void printNames(PrintWriter out, List<GeneratedKernel> kernels) {
        out.printf("%-12s %-24s %6s %12s%n", "FAMILY", "KERNEL", "BYTES", "INSTRUCTIONS");
        for (GeneratedKernel one : kernels) {
            out.printf(Locale.ROOT, "%-12s %-24s %6d %12d%n", one.family(), one.name(), one.code().length, one.listing().size());
        }
    }

    private static void print(PrintWriter out, GeneratedKernel kernel) {
        out.printf(Locale.ROOT, "; %s %s, %s, %d bytes%n", kernel.family(), kernel.name(),
                kernel.level().name().toLowerCase(Locale.ROOT), kernel.code().length);
        for (GeneratedKernel.Line line : kernel.listing()) {
            line.labels().forEach(label -> out.printf("%s:%n", label));
            out.printf(Locale.ROOT, "%6x  %-33s %s%n", line.offset(), line.hex(), line.text());
        }
    }
}
