package dev.tidestream.server.cli;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

import dev.tidestream.model.gguf.GgufFile;

/** Which model a command works on. */
final class ModelOption {
    @Option(names = {"-m", "--model"}, paramLabel = "FILE", description = "A GGUF model (default: the embedded starter model).")
    private @Nullable Path path;

    /** Opens the model; the caller closes it. */
    GgufFile open() {
        return path == null ? StarterModel.open() : GgufFile.open(path);
    }

    boolean isGiven() {
        return path != null;
    }
}
