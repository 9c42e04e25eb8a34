package dev.tidestream.server.admin.store.directory;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

import org.jspecify.annotations.Nullable;


/** A data directory that this process has locked, before it is known for which model file; {@code UpdateLog.open} takes it over. */
public final class DataDirectory implements Closeable {
    private @Nullable Storage storage;

    private DataDirectory(Storage storage) {
        this.storage = storage;
    }

    /**
     * Makes the directory if it is not there, and locks it.
     *
     * @throws DataDirException if another server has it, or it cannot be written
     */
    public static DataDirectory lock(Path directory) throws DataDirException {
        return new DataDirectory(DirectoryStorage.open(directory));
    }

    /** The lock and the files; the caller's from now on. */
    public Storage takeOver() {
        Storage taken = storage;
        if (taken == null) {
            throw new IllegalStateException("taken over, or closed");
        }
        storage = null;
        return taken;
    }

    /** Ends the lock, unless somebody has taken it over. */
    @Override
    public void close() throws IOException {
        if (storage != null) {
            takeOver().close();
        }
    }
}
