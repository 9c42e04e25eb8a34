package dev.tidestream.server.admin.build;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

import dev.tidestream.model.patch.PatchDtype;
import dev.tidestream.model.patch.PatchException;
import dev.tidestream.model.patch.PatchKind;
import dev.tidestream.model.patch.WeightPatch;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.TensorChange;
import dev.tidestream.server.admin.store.UpdateSpec;

/** From an update as the protocol and the log know it to a patch as the model knows it: the payload's file, mapped. */
public final class UpdatePayload implements AutoCloseable {
    private final Arena arena;
    private final WeightPatch patch;

    private UpdatePayload(Arena arena, WeightPatch patch) {
        this.arena = arena;
        this.patch = patch;
    }

    /** @throws AdminException {@code internal} if the file cannot be read */
    @SuppressWarnings("MustBeClosedChecker") // close() of the result closes it
    public static UpdatePayload map(UpdateSpec spec, Path file) throws AdminException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MemorySegment payload = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new UpdatePayload(arena, new WeightPatch(kind(spec), spec.shape(), dtype(spec.dtype()), spec.rank(), payload));
        } catch (IOException e) {
            arena.close();
            throw new AdminException(AdminErrorCode.INTERNAL, "payload of %s cannot be read".formatted(spec.updateId()), e);
        }
    }

    /** The patch; its values are in the mapped file, valid until this is closed. */
    public WeightPatch patch() {
        return patch;
    }

    /**
     * A stretch of a version's payload.
     *
     * @throws AdminException {@code internal} if the file cannot be read
     */
    @SuppressWarnings("MustBeClosedChecker") // close() of the result closes it
    public static UpdatePayload map(TensorChange change, Path file) throws AdminException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MemorySegment payload = channel.map(FileChannel.MapMode.READ_ONLY, change.offsetBytes(), change.byteLength(), arena);
            return new UpdatePayload(arena, new WeightPatch(kind(change), change.shape(), dtype(change.dtype()), change.rank(), payload));
        } catch (IOException e) {
            arena.close();
            throw new AdminException(AdminErrorCode.INTERNAL, "payload of a change of %s cannot be read".formatted(change.tensor()), e);
        }
    }

    private static PatchKind kind(TensorChange change) {
        return switch (change.kind()) {
            case REPLACE -> PatchKind.REPLACE;
            case ROWS -> PatchKind.ROWS;
            case DELTA -> PatchKind.DELTA;
            case LOW_RANK -> PatchKind.LOW_RANK;
            case SPARSE -> PatchKind.SPARSE;
            case COPY -> throw new IllegalArgumentException("a copy has no payload: tensor=" + change.tensor());
        };
    }

    private static PatchKind kind(UpdateSpec spec) {
        return switch (spec.kind()) {
            case REPLACE -> PatchKind.REPLACE;
            case ROWS -> PatchKind.ROWS;
            case DELTA -> PatchKind.DELTA;
            case LOW_RANK -> PatchKind.LOW_RANK;
        };
    }

    private static PatchDtype dtype(PayloadType type) {
        return switch (type) {
            case F32 -> PatchDtype.F32;
            case F16 -> PatchDtype.F16;
            case BF16 -> PatchDtype.BF16;
        };
    }

    /** What a client is told about a patch that was refused. */
    static AdminException refusal(PatchException e) {
        AdminErrorCode code = switch (e.reason()) {
            case NON_FINITE -> AdminErrorCode.NON_FINITE;
            case INVALID_SHAPE -> AdminErrorCode.INVALID_SHAPE;
            case INVALID_LENGTH -> AdminErrorCode.INVALID_LENGTH;
            case INVALID_ROWS -> AdminErrorCode.INVALID_VALUE;
        };
        return new AdminException(code, String.valueOf(e.getMessage()), e);
    }

    @Override
    public void close() {
        arena.close();
    }
}
