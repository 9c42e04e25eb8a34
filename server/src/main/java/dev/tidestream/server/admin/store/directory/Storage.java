package dev.tidestream.server.admin.store.directory;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;


/**
 * The few operations on one flat, locked directory that {@code UpdateLog} is made of. Every step that a crash can fall between
 * is one call, so that tests can fail each of them and can lose what was not forced.
 */
public interface Storage extends Closeable {

    /** Names of all regular files. */
    List<String> list() throws IOException;

    InputStream open(String name) throws IOException;

    long size(String name) throws IOException;

    /** A new, empty file to write; replaces one of this name. */
    Sink create(String name) throws IOException;

    /** An existing file to write on, cut to so many bytes; they may be as many as it has. */
    Sink append(String name, long bytes) throws IOException;

    /** Atomic; replaces {@code to}. Durable after {@link #force}. */
    void rename(String from, String to) throws IOException;

    void delete(String name) throws IOException;

    /** Makes the directory durable: files created, renamed and deleted so far. Not the content of files. */
    void force() throws IOException;

    long usableBytes() throws IOException;

    /** Where the file is, for those who map it. */
    Path path(String name);

    /** A file being written, from its start to its end. */
    interface Sink extends Closeable {
        /** Writes all that remains of the buffer. */
        void write(ByteBuffer bytes) throws IOException;

        /** Makes content and length durable. */
        void force() throws IOException;
    }
}
