package dev.tidestream.model.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

/**
 * A GGUF file (version 2 or 3, little-endian), memory-mapped and read-only; or a model that is split into several, see
 * {@link SplitFile}: then metadata is that of the first part, and tensors are those of all. All that a front says was checked
 * against the size of its file when that was opened, so {@link #data} never leaves it. The content does not change until closed;
 * any thread may read, and close it when no other thread reads.
 *
 * <p>A file that another process truncates while it is mapped makes the JVM throw {@link InternalError} where it is read:
 * replace model files by renaming, do not overwrite them.
 */
public final class GgufFile implements ModelSource {
    /** Weights are read as longs and floats; a page of a mapping, or an arena's allocation, begins at such an address. */
    private static final long MIN_IMAGE_ALIGNMENT_BYTES = 8;

    /** A model that ties both may be stored with either; as a source, it always has the embedding. */
    private static final String EMBEDDING = "token_embd.weight";
    private static final String HEAD = "output.weight";

    private final List<GgufPart> parts; // at least one; the first has the metadata
    private final Map<String, Integer> partOf; // index of the part, by name of a tensor
    private final Map<String, GgufTensor> tensors;
    private volatile @Nullable String sha256;

    private GgufFile(List<GgufPart> parts) {
        this.parts = parts;
        Map<String, Integer> places = SplitFile.partsOfTensors(parts);
        boolean headAlone = places.containsKey(HEAD) && !places.containsKey(EMBEDDING);
        Map<String, GgufTensor> all = new LinkedHashMap<>();
        parts.forEach(part -> part.front().tensors().forEach((name, tensor) -> {
            boolean renamed = headAlone && name.equals(HEAD);
            all.put(renamed ? EMBEDDING : name, renamed ? tensor.named(EMBEDDING) : tensor);
        }));
        if (headAlone) {
            places = new HashMap<>(places);
            places.put(EMBEDDING, Objects.requireNonNull(places.remove(HEAD)));
        }
        this.partOf = Map.copyOf(places);
        this.tensors = Collections.unmodifiableMap(all);
    }

    /**
     * Maps a file and reads its front; the other parts, too, if it is the first of several.
     *
     * @throws GgufException if it is not there, no valid GGUF file, a part other than the first, or if another part is missing
     * @throws java.io.UncheckedIOException if the system cannot read it
     */
    @SuppressWarnings("MustBeClosedChecker") // close() of the result closes them
    public static GgufFile open(Path path) {
        GgufPart first = GgufPart.map(path);
        List<GgufPart> parts = List.of(first);
        boolean done = false;
        try {
            parts = SplitFile.parts(first);
            GgufFile file = new GgufFile(parts);
            done = true;
            return file;
        } finally {
            if (!done) {
                parts.forEach(GgufPart::close);
            }
        }
    }

    /**
     * Reads the front of a file that is in memory already. The memory stays the caller's, also after {@link #close}.
     *
     * @param image the whole file, in memory that begins at an 8-byte boundary (an arena's allocation does)
     * @param name stands for the path, in messages
     * @throws GgufException if it is no valid GGUF file, or a part of one that is split
     */
    public static GgufFile of(MemorySegment image, String name) {
        if (image.maxByteAlignment() < MIN_IMAGE_ALIGNMENT_BYTES) {
            throw new IllegalArgumentException("%s: image must be aligned to %d bytes: alignment=%d"
                    .formatted(name, MIN_IMAGE_ALIGNMENT_BYTES, image.maxByteAlignment()));
        }
        GgufPart part = GgufPart.of(image, name);
        SplitFile.requireWhole(part);
        return new GgufFile(List.of(part));
    }

    private GgufPart first() {
        return parts.getFirst();
    }

    /** Where the file is, or its first part; for an image in memory, its name. */
    @Override
    public Path path() {
        return first().path();
    }

    /** Where its parts are, in order; of a file that is not split, that file alone. */
    @Override
    public List<Path> parts() {
        return parts.stream().map(GgufPart::path).toList();
    }

    /** The part that a tensor is in, from 0 on. */
    @Override
    public int part(GgufTensor tensor) {
        Integer part = partOf.get(tensor.name());
        if (part == null) {
            throw new IllegalArgumentException("no tensor of this file: " + tensor.name());
        }
        return part;
    }

    /** When the file was last changed (of its parts, the last one), as of opening it; none for an image in memory. */
    @Override
    public Optional<FileTime> modified() {
        return parts.stream().map(GgufPart::modified).filter(Objects::nonNull).max(FileTime::compareTo);
    }

    @Override
    public String format() {
        return "GGUF version " + version();
    }

    /** 2 or 3. */
    public int version() {
        return first().front().version();
    }

    @Override
    public GgufMetadata metadata() {
        return first().metadata();
    }

    /**
     * All tensors by name, in the order of the file, part after part. An {@code output.weight} without a
     * {@code token_embd.weight} is both, and known by the name of the latter.
     */
    @Override
    public Map<String, GgufTensor> tensors() {
        return tensors;
    }

    private GgufPart partOf(GgufTensor tensor) {
        return parts.get(part(tensor));
    }

    /** The bytes of a tensor of this file, read-only, valid until the file is closed. */
    public MemorySegment data(GgufTensor tensor) {
        return partOf(tensor).data(tensor);
    }

    @Override
    public MemorySegment data(GgufTensor tensor, SegmentAllocator made) {
        return data(tensor);
    }

    /** Says that a tensor is going to be read soon, so that the system may begin to fetch it from disk. */
    @Override
    public void willNeed(GgufTensor tensor) {
        partOf(tensor).willNeed(data(tensor));
    }

    /**
     * Lets go of a tensor's pages: they no longer count as this process's resident memory. Its data may be read again, which
     * costs page faults.
     */
    @Override
    public void release(GgufTensor tensor) {
        partOf(tensor).release(data(tensor));
    }

    /** Lets go of all pages. What is read later is read from the file again. */
    @Override
    public void releaseAll() {
        parts.forEach(part -> part.release(part.image()));
    }

    /** Length of the file, or of all parts together. */
    @Override
    public long fileBytes() {
        return parts.stream().mapToLong(part -> part.image().byteSize()).sum();
    }

    /**
     * SHA-256 of the whole file, or of all parts one after the other: 64 lower-case hexadecimal digits. Reads all of it once, and
     * lets go of its pages; not if it {@linkplain #identify is known}.
     */
    @Override
    public String sha256() {
        String known = sha256;
        if (known == null) {
            ContentHash hash = new ContentHash();
            parts.forEach(part -> hash.addAll(part.image(), part::release));
            known = hash.hex();
            sha256 = known;
        }
        return known;
    }

    /**
     * Says what {@link #sha256} is, by somebody who wrote it down when the file was read and has reason to think that it is
     * the same.
     */
    @Override
    public void identify(String knownSha256) {
        sha256 = knownSha256;
    }

    /**
     * SHA-256 of the CRC-32C of all that stands before the tensors' data, and of those of the beginning, the middle and the end
     * of each tensor, 4 KB each: 64 lower-case hexadecimal digits. Takes milliseconds, also in a JVM that has just started: there
     * CRC-32C of the 5 MB of a large vocabulary's front takes 1.5 ms and SHA-256 of it 100, measured. Tells one model from
     * another, but not from itself with a few values changed. Of a split file, the parts follow each other.
     */
    @Override
    public String sampleHash() {
        ContentHash hash = new ContentHash();
        for (GgufPart part : parts) {
            hash.addChecksum(part.image().asSlice(0, part.frontBytes()));
            part.front().tensors().values().forEach(tensor -> hash.addSamples(part.data(tensor)));
        }
        return hash.hex();
    }

    /** Unmaps the file: its data can be read no longer. A second call does nothing. */
    @Override
    public void close() {
        parts.forEach(GgufPart::close);
    }
}
