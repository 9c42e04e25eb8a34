package dev.tidestream.server.adapters.file;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import dev.tidestream.model.adapter.Adapter;
import dev.tidestream.model.adapter.AdapterBuilder;
import dev.tidestream.model.adapter.AdapterException;
import dev.tidestream.model.adapter.LowRankFactors;
import dev.tidestream.model.adapter.StoredMatrix;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.adapters.file.BaseModules.Module;

/**
 * An adapter in a GGUF file, as llama.cpp converts it: {@code <tensor>.lora_a} (rank, in) and {@code <tensor>.lora_b} (out, rank), in
 * the order of the model's GGUF files; of {@code token_embd.weight} (V, rank) and (H, rank). The scale is {@code adapter.lora.alpha}
 * over the rank. A change of {@code token_embd.weight} is one of lookups, of {@code output.weight} one of logits. Source: llama.cpp
 * v0.5.0, {@code llama-adapter.cpp}.
 */
final class GgufAdapter {
    private static final String A = ".lora_a";
    private static final String B = ".lora_b";

    private GgufAdapter() {}

    private record Pair(Map<String, StoredMatrix> halves) {
        /** One that the file is known to have. */
        private StoredMatrix half(String name) {
            return Objects.requireNonNull(halves.get(name));
        }
    }

    static ReadAdapter read(Path path, LoadedModel base) {
        try (GgufFile file = GgufFile.open(path)) {
            require(file, "general.type", "adapter");
            require(file, "adapter.type", "lora");
            require(file, "general.architecture", base.blueprint().architecture());
            if (file.metadata().contains("adapter.alora.invocation_tokens")) {
                throw new AdapterException("adapter.alora.invocation_tokens: adapters that begin at a token are not supported");
            }
            return build(file, new BaseModules(base.plan()));
        } catch (GgufException e) {
            throw new AdapterException(String.valueOf(e.getMessage()), e);
        }
    }

    private static void require(GgufFile file, String key, String value) {
        String found = file.metadata().findString(key).orElse("");
        if (!found.equals(value)) {
            throw new AdapterException("%s=%s, and must be %s".formatted(key, Names.quote(found), value));
        }
    }

    private static ReadAdapter build(GgufFile file, BaseModules modules) {
        float alpha = file.metadata().findFloat32("adapter.lora.alpha").orElse(0f);
        Map<String, Pair> pairs = new LinkedHashMap<>();
        for (GgufTensor tensor : file.tensors().values()) {
            String name = tensor.name();
            String half = name.endsWith(A) ? A : name.endsWith(B) ? B : "";
            if (half.isEmpty()) {
                throw PeftKeys.unused(name, "it is neither %s nor %s of a tensor".formatted(A, B));
            }
            String of = name.substring(0, name.length() - half.length());
            pairs.computeIfAbsent(of, _ -> new Pair(new LinkedHashMap<>())).halves().put(half, matrix(file, tensor));
        }
        if (pairs.isEmpty()) {
            throw new AdapterException("no tensors");
        }
        AdapterBuilder builder = new AdapterBuilder(modules.blueprint());
        int highestRank = 0;
        boolean ends = false;
        for (Map.Entry<String, Pair> pair : pairs.entrySet()) {
            Module module = add(pair.getKey(), pair.getValue(), alpha, modules, builder);
            highestRank = Math.max(highestRank, rank(pair.getValue()));
            ends |= module.isEnd();
        }
        Adapter adapter = builder.build();
        boolean tied = modules.blueprint().tied() && !ends;
        return new ReadAdapter(adapter, "GGUF adapter", file.sha256(), tied, 0, highestRank, List.of());
    }

    private static int rank(Pair pair) {
        return pair.half(B).columns();
    }

    private static Module add(String name, Pair pair, float alpha, BaseModules modules, AdapterBuilder builder) {
        Module module = modules.ofTensor(name).orElseThrow(() -> PeftKeys.unused(
                pair.halves().values().iterator().next().name(), "the model has no matrix '%s' that can be changed".formatted(Names.quote(name))));
        if (pair.halves().size() != 2) {
            StoredMatrix there = pair.halves().values().iterator().next();
            throw new AdapterException("half a pair: the file has '%s' and no '%s%s'".formatted(
                    there.name(), Names.quote(name), pair.halves().containsKey(A) ? B : A));
        }
        StoredMatrix a = pair.half(A);
        StoredMatrix b = pair.half(B);
        int rank = b.columns();
        float scale = alpha == 0 ? 1 : (float) ((double) alpha / rank);
        if (module.role() == TensorRole.EMBEDDING) {
            String because = "rank %d, and %s".formatted(rank, Shapes.ofModel(name, module.rows(), module.columns()));
            Shapes.require(a, module.rows(), rank, because);
            Shapes.require(b, module.columns(), rank, because);
            builder.lookup(new LowRankFactors(scale, a.transposed(), b));
            return module;
        }
        PeftFolder.requireFactors(a, b, rank, module);
        LowRankFactors factors = new LowRankFactors(scale, a, b);
        if (module.role() == TensorRole.OUTPUT) {
            builder.head(factors);
        } else {
            builder.layer(module.role(), module.layer(), factors);
        }
        return module;
    }

    private static StoredMatrix matrix(GgufFile file, GgufTensor tensor) {
        String name = Names.quote(tensor.name());
        TensorFormat format = TensorFormat.find(tensor.type().name()).orElseThrow(
                () -> new AdapterException("'%s' is of a type that is not supported: %s".formatted(name, tensor.type())));
        if (tensor.dimensions().size() != 2 || tensor.dimensions().stream().anyMatch(size -> size < 1 || size > Integer.MAX_VALUE)) {
            throw new AdapterException("'%s' has shape %s, and is no matrix".formatted(name, tensor.shape()));
        }
        int rows = (int) tensor.rows();
        int columns = (int) tensor.columns();
        MemorySegment data = file.data(tensor);
        return format.quantised() ? floats(name, format, rows, columns, data)
                : new StoredMatrix(name, format, rows, columns, data);
    }

    /** The values of a quantised matrix, exactly. */
    private static StoredMatrix floats(String name, TensorFormat format, int rows, int columns, MemorySegment data) {
        StoredMatrix out = StoredMatrix.empty(name, TensorFormat.F32, rows, columns);
        try (Arena arena = Arena.ofConfined()) {
            PanelMatrix panels = PanelPacker.pack(name, format, rows, columns, data, arena, WorkerTeam.sequential());
            float[] row = new float[columns];
            for (int i = 0; i < rows; i++) {
                panels.copyRow(i, row, 0);
                for (int k = 0; k < columns; k++) {
                    out.data().set(PanelLayout.FLOAT, ((long) i * columns + k) * Float.BYTES, row[k]);
                }
            }
        }
        return out;
    }
}
