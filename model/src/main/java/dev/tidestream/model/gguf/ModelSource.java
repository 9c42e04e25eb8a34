package dev.tidestream.model.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A model as it is on disk, in GGUF's words whatever its files are: metadata under GGUF's keys, tensors under GGUF's names, each with a
 * shape, a type and bytes. {@link GgufFile} is one; other kinds of files are translated. The content does not change until it is
 * closed; any thread may read, and close it when no other thread reads.
 */
public interface ModelSource extends AutoCloseable {
    /** The key of metadata that has the texts of tokens by id. */
    String TOKENS_KEY = "tokenizer.ggml.tokens";

    /** Where it is: a file (the first, if it is in parts) or a folder; for an image in memory, its name. */
    Path path();

    /** What kind of files it is made of, for people, e.g. {@code GGUF version 3}. */
    String format();

    /** The files that have its tensors, in order; at least one. */
    List<Path> parts();

    /** The part that a tensor is in, from 0 on; of a tensor that is made, that of the first one it is made of. */
    int part(GgufTensor tensor);

    /** Its metadata. */
    GgufMetadata metadata();

    /** All tensors by name, in the order of the files. */
    Map<String, GgufTensor> tensors();

    /**
     * The tensor of this name.
     *
     * @throws GgufException if there is none
     */
    default GgufTensor tensor(String name) {
        return findTensor(name)
                .orElseThrow(() -> new GgufException("%s: tensor '%s' is missing".formatted(path(), GgufException.quote(name))));
    }

    /** The tensor of this name, if there is one. */
    default Optional<GgufTensor> findTensor(String name) {
        return Optional.ofNullable(tensors().get(name));
    }

    /**
     * The bytes of a tensor, to be read only: where they lie in a mapped file, or made for the caller if no file has them like this.
     *
     * @param made gives memory for bytes that have to be made, of any alignment up to 64
     * @return valid until this is closed, and until the memory of {@code made} is
     * @throws GgufException if they cannot be made, since something they are made of is not what it should be
     */
    MemorySegment data(GgufTensor tensor, SegmentAllocator made);

    /** Says that a tensor is going to be read soon, so that the system may begin to fetch it from disk. */
    void willNeed(GgufTensor tensor);

    /**
     * Lets go of a tensor's pages of mapped files: they no longer count as this process's resident memory. Its data may be read
     * again, which costs page faults.
     */
    void release(GgufTensor tensor);

    /** Lets go of all pages of mapped files. What is read later is read from the files again. */
    void releaseAll();

    /** Length of its files. */
    long fileBytes();

    /** When it was last changed (of several files, the last one), as of opening it; none for what is no file. */
    Optional<FileTime> modified();

    /**
     * SHA-256 of all that the weights are made of: 64 lower-case hexadecimal digits. Reads all of it once; not if it
     * {@linkplain #identify is known}.
     */
    String sha256();

    /**
     * Says what {@link #sha256} is, by somebody who wrote it down when the files were read and has reason to think that they are the
     * same.
     */
    void identify(String knownSha256);

    /**
     * A hash of all but the weights, and of some of them: 64 lower-case hexadecimal digits. Takes milliseconds. Tells one model
     * from another, but not from itself with a few values changed.
     */
    String sampleHash();

    /** How many tokens its tokenizer has, without making one; none if it has no tokenizer, or one that is not understood. */
    default OptionalInt tokens() {
        return metadata().findValue(TOKENS_KEY).orElse(null) instanceof GgufValue.ArrayValue tokens
                ? OptionalInt.of(tokens.count())
                : OptionalInt.empty();
    }

    /** What is remarkable about it, though it can be read: a line each, for people. */
    default List<String> warnings() {
        return List.of();
    }

    /** Unmaps its files: its data can be read no longer. A second call does nothing. */
    @Override
    void close();
}
