package dev.tidestream.server.cli.options;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.server.app.ModelFiles;

/** Which model a command works on. */
public final class ModelOption {
    @Option(names = {"-m", "--model"}, paramLabel = "FILE", description = "A GGUF model (default: the embedded starter model).")
    private @Nullable Path path;

    /** Opens the model; the caller closes it. */
    public ModelSource open() {
        return ModelFiles.open(path);
    }

    /** The file; null for the embedded starter model. */
    public @Nullable Path path() {
        return path;
    }
}
