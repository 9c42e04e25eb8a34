package dev.tidestream.server.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.server.app.ServerException.Reason;

/** The model inside the jar, used where none is named. Where it comes from: the README beside it. */
public final class StarterModel {
    /** Of the file. */
    public static final String NAME = "starter-q8_0.gguf";

    private static final String RESOURCE = "/dev/tidestream/starter/" + NAME;
    private static final long ALIGNMENT_BYTES = 64;

    private StarterModel() {}

    /** Opens it; a jar's entry cannot be mapped, so it is copied to memory outside the heap, freed when nothing refers to it. */
    public static GgufFile open() {
        byte[] bytes = read();
        MemorySegment image = Arena.ofAuto().allocate(bytes.length, ALIGNMENT_BYTES);
        image.copyFrom(MemorySegment.ofArray(bytes));
        return GgufFile.of(image, NAME);
    }

    private static byte[] read() {
        try (InputStream in = StarterModel.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new ServerException(Reason.MODEL, "the embedded model is missing from the class path: " + RESOURCE);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the embedded model " + RESOURCE, e);
        }
    }
}
