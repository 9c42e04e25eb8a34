package dev.tidestream.server.admin.transaction;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.safetensors.SafetensorsException;
import dev.tidestream.server.safetensors.SafetensorsFile;

/**
 * The parts of a transaction, mapped until this is closed.
 *
 * @param files in the order of the parts
 */
public record MappedParts(List<SafetensorsFile> files) implements AutoCloseable {
    public MappedParts {
        files = List.copyOf(files);
    }

    /**
     * Maps parts.
     *
     * @throws AdminException {@code invalid_file}, {@code invalid_dtype}, {@code internal} if one cannot be read
     */
    @SuppressWarnings("MustBeClosedChecker") // close() of the result closes them
    public static MappedParts open(List<Path> parts) throws AdminException {
        List<SafetensorsFile> files = new ArrayList<>();
        boolean done = false;
        try {
            for (Path part : parts) {
                files.add(SafetensorsFile.open(part));
            }
            done = true;
            return new MappedParts(files);
        } catch (SafetensorsException e) {
            AdminErrorCode code = switch (e.reason()) {
                case UNREADABLE -> AdminErrorCode.INTERNAL;
                case INVALID_FILE -> AdminErrorCode.INVALID_FILE;
                case INVALID_DTYPE -> AdminErrorCode.INVALID_DTYPE;
            };
            throw new AdminException(code, "part %d in order: %s".formatted(files.size() + 1, e.getMessage()), e);
        } finally {
            if (!done) {
                files.forEach(SafetensorsFile::close);
            }
        }
    }

    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
    }
}
