package dev.tidestream.server.adapters.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import dev.tidestream.model.adapter.AdapterException;
import dev.tidestream.model.transformer.LoadedModel;

/** Reads adapters, whatever kind of file they are. */
public final class AdapterFiles {
    private AdapterFiles() {}

    /** The files that an adapter is read from, there or not. */
    public static List<Path> files(Path path) {
        return Files.isDirectory(path) ? List.of(path.resolve(PeftFolder.CONFIG), path.resolve(PeftFolder.WEIGHTS)) : List.of(path);
    }

    /** Bytes of the files of an adapter, as far as there are any: before it is read, which takes memory. */
    public static long bytes(Path path) throws IOException {
        long bytes = 0;
        for (Path file : files(path)) {
            bytes += Files.isRegularFile(file) ? Files.size(file) : 0;
        }
        return bytes;
    }

    /**
     * Reads an adapter for a model, and packs it.
     *
     * @param path a folder as PEFT saves it, or a GGUF file
     * @param base which it must fit; valid while this runs
     * @throws AdapterException if it cannot be served: names key, shapes or value
     * @throws IOException if the system cannot read it
     */
    public static ReadAdapter read(Path path, LoadedModel base) throws IOException {
        return read(path, base, false);
    }

    /**
     * The same for a model that is not as its files have it.
     *
     * @param updated whether updates may have changed the base since its files were read
     */
    public static ReadAdapter read(Path path, LoadedModel base, boolean updated) throws IOException {
        try {
            if (Files.isDirectory(path)) {
                return PeftFolder.read(path, base, updated);
            }
            if (!Files.isRegularFile(path)) {
                throw new AdapterException("neither a folder nor a file: '%s'".formatted(Names.quote(path.toString())));
            }
            return GgufAdapter.read(path, base);
        } catch (InternalError e) { // of a mapped file that was cut short
            throw new AdapterException("the files changed while they were read", e);
        }
    }
}
