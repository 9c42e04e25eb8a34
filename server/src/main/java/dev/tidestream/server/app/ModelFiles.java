package dev.tidestream.server.app;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.packed.PackedCache;
import dev.tidestream.model.packed.PackedWarnings;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;

/** Files of models: opened, loaded with the kernels of this process, and put into words. */
public final class ModelFiles {
    private ModelFiles() {}

    /**
     * Opens a file; the caller closes it.
     *
     * @param path null for the embedded starter model
     */
    public static ModelSource open(@Nullable Path path) {
        return path == null ? StarterModel.open() : GgufFile.open(path);
    }

    /**
     * Loads a model, or maps packed weights of it.
     *
     * @param team that packs
     * @return the caller's
     */
    public static LoadedModel load(ModelLoader loader, ServerConfig.Compute compute, WorkerTeam team, StartListener listener) {
        Kernels kernels = KernelSelection.fastest();
        KernelSelection.warning().ifPresent(listener::warning);
        ServerConfig.Packed packed = compute.packed();
        try (StartListener.Loading progress = listener.loading(loader.source().path())) {
            return packed == null
                    ? loader.load(kernels, team, progress)
                    : loader.load(kernels, team, progress,
                            new PackedCache(packed.directory(), packed.fullCheck(), packed.load(), new Warnings(listener)));
        }
    }

    private record Warnings(StartListener listener) implements PackedWarnings {
        @Override
        public void accept(String warning) {
            listener.warning(warning);
        }

        @Override
        public String reason(Exception e) {
            return Reasons.of(e);
        }
    }

    /** How many tensors of which type, e.g. {@code 13 F32, 43 Q8_0}. */
    public static String tensorTypes(ModelSource gguf) {
        Map<GgmlType, Long> counts = gguf.tensors().values().stream()
                .collect(Collectors.groupingBy(GgufTensor::type, TreeMap::new, Collectors.counting()));
        return counts.entrySet().stream().map(entry -> entry.getValue() + " " + entry.getKey()).collect(Collectors.joining(", "));
    }
}
