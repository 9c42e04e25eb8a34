package dev.tidestream.model.tools;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.architecture.family.Architectures;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.ActivationScaling;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.base.RowEncoder;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufFileWriter;

/**
 * Writes a GGUF file with random weights, for measuring speed and for tests: any family that can be run, any shape, any format.
 * Text that it generates means nothing; any engine that knows the family can load it. Needs a JDK and the classes of this module:
 *
 * <pre>{@code
 * tool="java -cp model/target/classes model/src/test/java/dev/tidestream/model/tools/RandomModelFile.java"
 * $tool out=random-1b-q4_0.gguf format=q4_0
 * $tool out=small.gguf arch=gemma3 format=q8_0 vocab=32000 hidden=512 layers=6 heads=8 kv-heads=4 head-dim=64 ff=1536 context=2048
 * }</pre>
 *
 * <p>The defaults are the shape of Llama-3.2-1B; {@link #HELP} has the options. Weights are drawn so that hidden states stay of
 * the order of 1: from a stock of blocks that the format's own encoder made, ternary ones from -1, 0 and 1. Norms are 1.
 */
public final class RandomModelFile {
    /** What {@code --help} prints. */
    static final String HELP = """
            usage: RandomModelFile.java out=FILE [name=value ...]
              arch=%s
                           (default: llama)
              format=%s,
                           q4_k_m (default: q4_0); rows that are no whole number of blocks take the format that llama.cpp takes
              head=FORMAT  of embedding and output matrix (default: as format; q6_k for q4_k_m, f16 for i2_s)
              tied=true|false (default: true)
              vocab=128256 hidden=2048 layers=16 heads=32 kv-heads=8 head-dim=hidden/heads ff=8192 context=16384
              window=N     positions that a layer sees, of mistral (default: 4096) and gemma (default: 512)
              seed=1
            """.formatted(String.join("|", RandomMetadata.FAMILIES), String.join(", ", formats()));

    private static final Set<String> OPTIONS =
            Set.of("out", "arch", "format", "head", "tied", "vocab", "hidden", "layers", "heads", "kv-heads",
            "head-dim", "ff", "context", "window", "seed");
    private static final int STOCK = 1 << 12; // blocks that rows are made of
    private static final int PIECE_BYTES = 1 << 22;
    private static final String MIXTURE = "q4_k_m";

    private final Map<String, String> options;
    private final RandomMetadata metadata;
    private final SplittableRandom random;
    private final Map<TensorFormat, byte[]> stocks = new HashMap<>();

    private RandomModelFile(Map<String, String> options) {
        this.options = options;
        this.metadata = new RandomMetadata(options);
        this.random = new SplittableRandom(Long.parseLong(options.getOrDefault("seed", "1")));
    }

    private static List<String> formats() {
        return List.of(TensorFormat.values()).stream().map(format -> format.name().toLowerCase(Locale.ROOT)).toList();
    }

    /** Arguments: {@code name=value}. */
    public static void main(String[] args) throws IOException {
        Map<String, String> options = new HashMap<>();
        for (String arg : args) {
            String[] parts = arg.split("=", 2);
            if (parts.length != 2 || !OPTIONS.contains(parts[0])) {
                System.err.print(HELP);
                System.exit(arg.equals("--help") ? 0 : 2);
            }
            options.put(parts[0], parts[1]);
        }
        Path out = Path.of(options.getOrDefault("out", "random.gguf"));
        write(options, out);
        System.err.printf("%s: %,d bytes%n", out, Files.size(out));
    }

    /**
     * Writes a file, in the place of another of its name.
     *
     * @throws IllegalArgumentException if an option is not known, or a value is not one of it
     */
    public static void write(Map<String, String> options, Path out) throws IOException {
        Set<String> unknown = new TreeSet<>(options.keySet());
        unknown.removeAll(OPTIONS);
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("no options: " + unknown);
        }
        new RandomModelFile(options).write(out);
    }

    private void write(Path out) throws IOException {
        TensorPlan plan = Architectures.plan(metadata.sketch(out)).tensors();
        Map<String, TensorFormat> formats = new LinkedHashMap<>();
        List<GgufFileWriter.Tensor> tensors = new ArrayList<>();
        plan.tensors().forEach((name, planned) -> {
            TensorFormat format = format(planned, plan);
            formats.put(name, format);
            tensors.add(new GgufFileWriter.Tensor(name, GgmlType.valueOf(format.name()), planned.shape().reversed()));
        });
        new GgufFileWriter(metadata.values(), tensors).write(out, true, (tensor, sink) -> {
            TensorPlan.Planned planned = Objects.requireNonNull(plan.tensors().get(tensor.name()));
            if (planned.matrix()) {
                rows(Objects.requireNonNull(formats.get(tensor.name())), planned, sink);
            } else {
                vector(planned, sink);
            }
        }, bytes -> { });
    }

    private TensorFormat format(TensorPlan.Planned planned, TensorPlan plan) {
        if (!planned.matrix() || planned.role() == TensorRole.POSITIONS) {
            return TensorFormat.F32;
        }
        String name = options.getOrDefault("format", "q4_0");
        boolean mixed = name.equals(MIXTURE);
        TensorFormat type = mixed ? TensorFormat.Q4_K : format(name);
        TensorFormat standard = mixed ? TensorFormat.Q6_K : type == TensorFormat.I2_S ? TensorFormat.F16 : type;
        TensorFormat head = format(options.getOrDefault("head", standard.name()));
        boolean isHead = planned.role() == TensorRole.EMBEDDING || planned.role() == TensorRole.OUTPUT;
        boolean better = mixed && (planned.role() == TensorRole.VALUE || planned.role() == TensorRole.DOWN)
                && half(planned.layer().orElse(0), plan.blueprint().layers().size());
        return (isHead ? head : better ? TensorFormat.Q6_K : type).fitting(Math.toIntExact(planned.shape().getLast()));
    }

    private static TensorFormat format(String name) {
        return TensorFormat.valueOf(name.toUpperCase(Locale.ROOT));
    }

    /** Whether a layer is one of the half that has more bits in a Q4_K_M file. */
    private static boolean half(int layer, int layers) {
        return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
    }

    private void vector(TensorPlan.Planned planned, GgufFileWriter.Sink sink) throws IOException {
        float[] values = new float[Math.toIntExact(planned.shape().getFirst())];
        for (int i = 0; i < values.length; i++) {
            values[i] = planned.bias() ? value(0.02f) : 1f;
        }
        MemorySegment bytes = MemorySegment.ofArray(new byte[values.length * Float.BYTES]);
        MemorySegment.copy(values, 0, bytes, PanelLayout.FLOAT, 0, values.length);
        sink.write(bytes);
    }

    /** Rows of blocks that are drawn from the stock; and what a format has behind them. */
    private void rows(TensorFormat format, TensorPlan.Planned planned, GgufFileWriter.Sink sink) throws IOException {
        int rows = Math.toIntExact(planned.shape().getFirst());
        int columns = Math.toIntExact(planned.shape().getLast());
        byte[] stock = stocks.computeIfAbsent(format, this::stock);
        int blockBytes = Math.toIntExact(format.rowBytes(format.rowBlock()));
        int rowBytes = Math.toIntExact(format.rowBytes(columns));
        byte[] piece = new byte[Math.max(1, Math.min(rows, PIECE_BYTES / rowBytes)) * rowBytes];
        for (int row = 0; row < rows; row += piece.length / rowBytes) {
            int count = Math.min(piece.length / rowBytes, rows - row);
            for (int i = 0; i < count; i++) {
                for (int at = 0; at < rowBytes; at += blockBytes) {
                    System.arraycopy(stock, random.nextInt(STOCK) * blockBytes, piece, i * rowBytes + at,
                            Math.min(blockBytes, rowBytes - at));
                }
            }
            sink.write(MemorySegment.ofArray(piece).asSlice(0, (long) count * rowBytes));
        }
        int behind = STOCK * blockBytes;
        sink.write(MemorySegment.ofArray(stock).asSlice(behind, format.format().fileBytes(rows, columns) - (long) rows * rowBytes));
    }

    /** Blocks as they stand in a file, one after the other, as if they were one row. */
    private byte[] stock(TensorFormat format) {
        float scale = (float) (0.5 / Math.sqrt(metadata.hidden()));
        boolean ternary = format.activations() == ActivationScaling.ROW;
        int block = format.rowBlock();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment panel = arena.allocate(format.panelBytes(STOCK * block), Long.BYTES);
            RowEncoder encoder = format.format().encoder();
            float[] values = new float[block];
            for (int i = 0; i < STOCK; i++) {
                for (int j = 0; j < block; j++) {
                    values[j] = ternary ? (j == 0 ? 1 : random.nextInt(3) - 1) * scale : value(scale);
                }
                encoder.write(panel, 0, 0, i * block, block, values);
            }
            MemorySegment row = arena.allocate(format.format().fileBytes(1, STOCK * block), Long.BYTES);
            format.format().unpackRow(panel, 0, 0, STOCK * block, row, 0);
            return row.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private float value(float scale) {
        return (float) (random.nextDouble() * 2 - 1) * scale * 1.7f;
    }
}
