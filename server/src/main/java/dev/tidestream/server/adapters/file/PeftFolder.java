package dev.tidestream.server.adapters.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import dev.tidestream.model.adapter.AdapterBuilder;
import dev.tidestream.model.adapter.AdapterException;
import dev.tidestream.model.adapter.LowRankFactors;
import dev.tidestream.model.adapter.StoredMatrix;
import dev.tidestream.model.gguf.ContentHash;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.adapters.file.BaseModules.Module;
import dev.tidestream.server.adapters.file.PeftKeys.Entry;
import dev.tidestream.server.adapters.file.PeftKeys.Use;
import dev.tidestream.server.safetensors.SafetensorsException;
import dev.tidestream.server.safetensors.SafetensorsFile;

/** An adapter as PEFT saves it: {@code adapter_config.json} and {@code adapter_model.safetensors}. Source: PEFT 0.21. */
final class PeftFolder {
    static final String CONFIG = "adapter_config.json";
    static final String WEIGHTS = "adapter_model.safetensors";

    private final PeftConfig config;
    private final BaseModules modules;
    private final PeftKeys keys;
    private final List<String> warnings = new ArrayList<>();
    private final AdapterBuilder builder;
    private final BaseCopies copies;
    private int highestRank;

    private PeftFolder(PeftConfig config, SafetensorsFile file, LoadedModel base, boolean updated) {
        this.config = config;
        this.modules = new BaseModules(base.plan());
        this.keys = new PeftKeys(file, modules);
        this.builder = new AdapterBuilder(base.blueprint());
        this.copies = new BaseCopies(base, updated, modules, warnings);
    }

    static ReadAdapter read(Path folder, LoadedModel base, boolean updated) throws IOException {
        PeftConfig config = PeftConfig.read(folder.resolve(CONFIG));
        Path weights = folder.resolve(WEIGHTS);
        if (!Files.exists(weights)) {
            throw new AdapterException("%s: no such file (other formats are not read: save it as safetensors)".formatted(WEIGHTS));
        }
        try (SafetensorsFile file = SafetensorsFile.open(weights.toRealPath())) {
            ContentHash hash = new ContentHash();
            hash.add(config.bytes());
            hash.addAll(file.image(), _ -> { });
            return new PeftFolder(config, file, base, updated).build(hash.hex());
        } catch (SafetensorsException e) {
            throw new AdapterException("%s: %s".formatted(WEIGHTS, e.getMessage()), e);
        }
    }

    private ReadAdapter build(String sha256) {
        boolean any = false;
        for (Entry entry : keys.entries()) {
            entry.copies().forEach(copy -> copies.require(entry.module(), copy));
            if (!entry.module().isEnd() && entry.find(Use.A).isPresent()) {
                layer(entry);
            }
            any = true;
        }
        if (!any) {
            throw new AdapterException("%s: no tensors".formatted(WEIGHTS));
        }
        requireAllTargets();
        PeftEnds ends = new PeftEnds(config, modules, keys, copies, warnings);
        PeftEnds.Outcome outcome = ends.build(builder);
        return new ReadAdapter(builder.build(), "PEFT folder", sha256, outcome.tied(), outcome.savedMatrices(),
                Math.max(highestRank, outcome.rank()), warnings);
    }

    private void layer(Entry entry) {
        Module module = entry.module();
        if (!config.targets().targets(module.path(), false)) {
            throw PeftKeys.unused(entry.get(Use.A).name(), "%s does not name its module".formatted(PeftConfig.TARGETS));
        }
        StoredMatrix a = entry.get(Use.A);
        StoredMatrix b = entry.get(Use.B);
        int rank = config.rankOf(module.path());
        requireFactors(a, b, rank, module);
        highestRank = Math.max(highestRank, rank);
        int headDim = modules.interleaved(module);
        StoredMatrix ordered = headDim == 0 ? b : b.select(b.rows(), row -> BaseModules.storedRow(row, headDim));
        builder.layer(module.role(), module.layer(), new LowRankFactors(config.scaleOf(module.path()), a, ordered));
    }

    /** Refuses factors of another shape than {@code (rank, columns)} and {@code (rows, rank)}. */
    static void requireFactors(StoredMatrix a, StoredMatrix b, int rank, Module module) {
        String because = "rank %d, and %s".formatted(rank, Shapes.ofModel(module.path(), module.rows(), module.columns()));
        Shapes.require(a, rank, module.columns(), because);
        Shapes.require(b, module.rows(), rank, because);
    }

    /** Refuses a file that lacks a layer's module that the configuration names: a part of an adapter is none. */
    private void requireAllTargets() {
        for (Module module : modules.all(keys.layerPrefix(modules.usualPrefix()), keys.headPrefix())) {
            boolean there = keys.find(module.role(), module.layer()).filter(entry -> entry.find(Use.A).isPresent()).isPresent();
            if (!module.isEnd() && !there && config.targets().targets(module.path(), false)) {
                throw new AdapterException("%s names '%s', and the file has no tensors of it".formatted(
                        PeftConfig.TARGETS, Names.quote(module.path())));
            }
        }
    }
}
