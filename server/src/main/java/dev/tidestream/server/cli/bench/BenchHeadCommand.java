package dev.tidestream.server.cli.bench;

import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;

import picocli.CommandLine.Command;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.kernels.vector.bandwidth.StreamingRead;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedWeightException;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.server.app.memory.AvailableMemory;
import dev.tidestream.server.bench.BenchWeights;
import dev.tidestream.server.bench.HeadBench;
import dev.tidestream.server.bench.HeadBench.Figures;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.cli.terminal.Progress;
import dev.tidestream.server.cli.terminal.TerminalStart;
import dev.tidestream.server.engine.KernelWorkers;

/** {@code bench head}: the tied head alone, in every mode, beside the streaming read of this machine. */
@Command(name = "head") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class BenchHeadCommand extends BenchHeadOptions implements Callable<Integer> {
    private final Set<String> warm = new HashSet<>();
    private int measured;

    /** A head of which each batch is measured. */
    private record Head(HeadMode mode, TensorFormat format, int vocabulary) {
        String formatName() {
            return format.name().toLowerCase(Locale.ROOT);
        }
    }

    @Override
    public Integer call() {
        List<TensorFormat> formats = formats();
        Kernels kernels = KernelSelection.fastest();
        PrintWriter err = spec.commandLine().getErr();
        KernelSelection.warning().ifPresent(new TerminalStart(err)::warning);
        long figures = (long) vocabularies().size() * batches().size() * (formats.size() + 2);
        if (!json) {
            spec.commandLine().getOut().printf("threads=%d, kernels=%s, head-activations=%s%n%-18s %-6s %7s %6s %6s %12s %9s %9s %6s %14s%n",
                    threads(), kernels.title(), precision().head().wireName(), "MODE", "FORMAT", "VOCAB", "HIDDEN", "BATCH", "US/CALL", "GB/S", "WALL", "SHARE", "BYTES HELD");
        }
        try (KernelWorkers workers = new KernelWorkers(threads());
                Arena arena = new PageArena();
                Progress progress = Progress.onTerminal(err, "measuring", figures)) {
            HeadBench bench = new HeadBench(new StreamingRead(wallBytes(), arena, workers), kernels, workers, precision(),
                    budget());
            for (int vocabulary : vocabularies()) {
                EnumSet<TensorFormat> all = EnumSet.of(TensorFormat.F32); // the dense modes are derived from it
                all.addAll(formats);
                for (TensorFormat format : all) {
                    measure(bench, workers, format, vocabulary, modes(format, formats), progress);
                }
            }
        }
        if (measured == 0) {
            throw new CliException("nothing was measured: nothing fits");
        }
        return 0;
    }

    private static List<HeadMode> modes(TensorFormat format, List<TensorFormat> wanted) {
        if (format != TensorFormat.F32) {
            return List.of(HeadMode.PACKED);
        }
        return wanted.contains(format)
                ? List.of(HeadMode.values()) : List.of(HeadMode.TRANSPOSE_PER_STEP, HeadMode.CACHED_TRANSPOSE);
    }

    private void measure(
            HeadBench bench,
            KernelWorkers workers,
            TensorFormat format,
            int vocabulary,
            List<HeadMode> modes,
            Progress progress) {
        long weightBytes = PanelMatrix.panelBytes(format, vocabulary, hidden());
        long sourceBytes = BenchWeights.sourceBytes(format, vocabulary, hidden());
        String what = "weights %s vocab=%d".formatted(format.name().toLowerCase(Locale.ROOT), vocabulary);
        if (!fits(what, weightBytes + sourceBytes, progress)) {
            progress.advance((long) modes.size() * batches().size());
            return;
        }
        try (Arena arena = new PageArena()) {
            PanelMatrix weight = BenchWeights.random(format, vocabulary, hidden(), arena, workers);
            for (HeadMode mode : modes) {
                measure(bench, new Head(mode, format, vocabulary), weight, progress);
            }
        }
    }

    private void measure(HeadBench bench, Head head, PanelMatrix weight, Progress progress) {
        String what = "%s %s vocab=%d hidden=%d"
                .formatted(head.mode().wireName(), head.formatName(), head.vocabulary(), hidden());
        if (!fits(what, head.mode().peakBytes(head.vocabulary(), hidden()), progress)) {
            progress.advance(batches().size());
            return;
        }
        try (EmbeddingLayer layer = bench.head(head.mode(), weight)) {
            for (int batch : batches()) {
                long transientBytes = head.mode().transientBytes(head.vocabulary(), hidden());
                String name = what + " batch=" + batch;
                if (fits(name, transientBytes, progress) && fitsHeap(name, head.vocabulary(), batch, progress)) {
                    if (warm.add(head.mode() + " " + head.format() + " " + batch)) {
                        bench.warmUp(head.mode(), head.format(), hidden(), batch);
                    }
                    print(head, batch, bench.measure(layer, batch), progress);
                    measured++;
                }
                progress.advance(1);
            }
        } catch (TiedWeightException.HeadModeUnavailable e) {
            skipped(what, String.valueOf(e.getMessage()), progress);
        }
    }

    private boolean fits(String what, long neededBytes, Progress progress) {
        long availableBytes = AvailableMemory.bytes();
        if (neededBytes > availableBytes) {
            skipped(what, "needed_bytes=%d, available_bytes=%d".formatted(neededBytes, availableBytes), progress);
            return false;
        }
        return true;
    }

    private boolean fitsHeap(String what, int vocabulary, int batch, Progress progress) {
        long neededBytes = HeadBench.heapBytes(vocabulary, hidden(), batch);
        Runtime runtime = Runtime.getRuntime();
        long availableBytes = runtime.maxMemory() / 4 * 3 - (runtime.totalMemory() - runtime.freeMemory());
        if (neededBytes > availableBytes || (long) vocabulary * batch > Integer.MAX_VALUE - Long.BYTES) {
            skipped(what, "needed_heap_bytes=%d, available_heap_bytes=%d, max_logits=%d, logits=%d"
                    .formatted(neededBytes, availableBytes, Integer.MAX_VALUE - Long.BYTES, (long) vocabulary * batch), progress);
            return false;
        }
        return true;
    }

    private void skipped(String what, String why, Progress progress) {
        progress.wipe();
        PrintWriter err = spec.commandLine().getErr();
        err.printf("tidestream: skipped %s: %s%n", what, why);
        err.flush();
    }

    private void print(Head head, int batch, Figures figures, Progress progress) {
        progress.wipe();
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(json(head, batch, figures));
        } else {
            out.printf(Locale.ROOT, "%-18s %-6s %7d %6d %6d %12.1f %9.2f %9.2f %5.0f%% %14d%n", head.mode().wireName(),
                    head.formatName(), head.vocabulary(), hidden(), batch, figures.us(), figures.gbPerS(), figures.wallGbPerS(),
                    100 * figures.gbPerS() / figures.wallGbPerS(), figures.bytesHeld());
        }
        out.flush();
    }

    private String json(Head head, int batch, Figures figures) {
        return JsonText.object(json -> {
            json.writeStringField("mode", head.mode().wireName());
            json.writeStringField("format", head.formatName());
            json.writeNumberField("vocab", head.vocabulary());
            json.writeNumberField("hidden", hidden());
            json.writeNumberField("batch", batch);
            json.writeNumberField("us", figures.us());
            json.writeNumberField("gb_per_s", figures.gbPerS());
            json.writeNumberField("wall_gb_per_s", figures.wallGbPerS());
            json.writeNumberField("bytes_held", figures.bytesHeld());
            if (figures.activations() == ActivationPrecision.INT8) {
                json.writeStringField("head_activations", figures.activations().wireName());
            }
        });
    }
}
