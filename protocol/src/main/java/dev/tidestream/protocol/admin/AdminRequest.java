package dev.tidestream.protocol.admin;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

import org.jspecify.annotations.Nullable;

/** What an administrator asks for. {@code ref} is the sender's own name of the request, 1 to 128 characters; replies repeat it. */
public sealed interface AdminRequest {

    /** The sender's name of the request. */
    String ref();

    /**
     * Changes how the head computes.
     *
     * @param verify whether logits of the old and the new layout are compared first
     */
    record OptimizationSet(String ref, OptimizationMode mode, boolean verify) implements AdminRequest {}

    record OptimizationStatus(String ref) implements AdminRequest {}

    /**
     * Changes a tensor. The payload follows in binary frames, or comes from a safetensors file.
     *
     * @param updateId 1 to 128 characters; an update with the same id and content is applied once
     * @param baseVersion the version it was made for, at least 1
     * @param tensor GGUF name
     * @param shape one to four positive dimensions; see {@link UpdateKind}
     * @param sha256 of the payload, 64 lower-case hexadecimal digits
     * @param byteLength of the payload; is what kind, shape, dtype and rank make of it
     * @param rank present for, and only for, {@link UpdateKind#LOW_RANK}
     * @param path of a safetensors file, relative to the server's update directory; null if binary frames follow. Length and
     *     checksum are those of the payload that the file's tensors make, not of the file
     */
    record WeightsUpdate(
            String ref,
            String updateId,
            long baseVersion,
            String tensor,
            UpdateKind kind,
            List<Long> shape,
            PayloadType dtype,
            String sha256,
            long byteLength,
            OptionalInt rank,
            @Nullable String path)
            implements WithFrames {

        public WeightsUpdate {
            shape = List.copyOf(shape);
        }

        @Override
        public boolean framesFollow() {
            return path == null;
        }

        @Override
        public long frameBytes() {
            return byteLength;
        }
    }

    /** Something whose bytes may follow in binary frames. */
    sealed interface WithFrames extends AdminRequest {
        /** Whether they do. */
        boolean framesFollow();

        /** How many bytes of frames follow, if they do. */
        long frameBytes();
    }

    /** About an update of many tensors, which becomes one version. */
    sealed interface OfUpdates extends AdminRequest {
        /** 1 to 128 of {@code A-Za-z0-9._:-}, the sender's name of the update. */
        String updateId();
    }

    /**
     * Opens an update, or finds it.
     *
     * @param baseVersion the version it is made for, at least 1
     * @param label the sender's words for the version, up to 256 characters
     * @param tied {@code keep}, {@code untie} or {@code error}; empty for what goes with the model
     * @param hold whether the version is to be published later
     */
    record OpenUpdate(String ref, String updateId, long baseVersion, String label, Optional<String> tied, boolean hold)
            implements OfUpdates {}

    /**
     * A part, which is a safetensors file, or the rest of one: binary frames with {@code byteLength - offset} bytes follow.
     *
     * @param part its number, from 0
     * @param sha256 of the whole part, 64 lower-case hexadecimal digits
     * @param byteLength of the whole part
     * @param offset where the frames begin: what the server has of it, or less
     */
    record UpdatePart(String ref, String updateId, int part, String sha256, long byteLength, long offset)
            implements OfUpdates, WithFrames {
        @Override
        public boolean framesFollow() {
            return true;
        }

        @Override
        public long frameBytes() {
            return byteLength - offset;
        }
    }

    /**
     * Makes all parts one version.
     *
     * @param parts how many there are, if that is said
     * @param manifestSha256 of a line for each part, in order: its number, a space, its SHA-256, a line feed
     */
    record CommitUpdate(String ref, String updateId, OptionalInt parts, Optional<String> manifestSha256) implements OfUpdates {}

    /** Gives an update up. */
    record AbortUpdate(String ref, String updateId) implements OfUpdates {}

    /** Which parts of an update are there. */
    record UpdateState(String ref, String updateId) implements OfUpdates {}

    /** Makes the weights of an older version current again, as a new version. */
    record WeightsRollback(String ref, long toVersion) implements AdminRequest {}

    record WeightsStatus(String ref) implements AdminRequest {}

    record WeightsHistory(String ref) implements AdminRequest {}

    record Stats(String ref) implements AdminRequest {}

    /** Asks for the streams that the scheduler has. */
    record Streams(String ref) implements AdminRequest {}

    /** About adapters. */
    sealed interface OfAdapters extends AdminRequest {}

    /**
     * Serves an adapter.
     *
     * @param name that clients ask for it by, 1 to 128 characters
     * @param path of a folder or a file, relative to the server's directory of adapters
     */
    record AdapterLoad(String ref, String name, String path) implements OfAdapters {}

    /** Serves an adapter no longer; streams that use it go on. */
    record AdapterUnload(String ref, String name) implements OfAdapters {}

    /** Which adapters are served. */
    record AdapterStatus(String ref) implements OfAdapters {}
}
