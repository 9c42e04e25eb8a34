package dev.tidestream.server.admin.service;

import java.io.ByteArrayOutputStream;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.VersionsDesk.Export;
import dev.tidestream.server.admin.VersionsDesk.ExportFormat;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.export.ExportFile;
import dev.tidestream.server.admin.export.GgufExport;
import dev.tidestream.server.admin.export.SafetensorsExport;
import dev.tidestream.server.admin.transaction.ChangePlanner;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.pacing.PacedTeam;

/** Hands versions out as files. One that is in memory is held by a lease, another one is rebuilt first and held by the export alone. */
final class VersionExports {
    /** Each may hold a version of its own. */
    private static final int MAX_EXPORTS = 2;
    /** Given out at once: some milliseconds of work, in pieces of a tenth of one. */
    private static final int CHUNK_BYTES = 512 << 10;

    private final ServedModelVersions served;
    private final ModelLoader file;
    private final Supplier<Map<String, GgufValue>> otherMetadata;
    private final PacedTeam team;
    private final Pruning.Rebuild rebuild;
    private final AtomicInteger underWay = new AtomicInteger();

    /**
     * @param file the base of all versions
     * @param otherMetadata what a GGUF file of the model has beside the metadata of its source
     * @param rebuild builds a version that is not in memory, when it is its turn
     */
    VersionExports(ServedModelVersions served, ModelLoader file, Supplier<Map<String, GgufValue>> otherMetadata, PacedTeam team,
            Pruning.Rebuild rebuild) {
        this.served = served;
        this.file = file;
        this.otherMetadata = otherMetadata;
        this.team = team;
        this.rebuild = rebuild;
    }

    Export open(long version, ExportFormat format) throws AdminException {
        if (underWay.incrementAndGet() > MAX_EXPORTS) {
            underWay.decrementAndGet();
            throw new AdminException(AdminErrorCode.BUSY, "other versions are being exported: limit=" + MAX_EXPORTS);
        }
        boolean done = false;
        try {
            Export export = opened(version, format);
            done = true;
            return export;
        } finally {
            if (!done) {
                underWay.decrementAndGet();
            }
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // the export closes what it holds
    private Export opened(long version, ExportFormat format) throws AdminException {
        Optional<Lease> lease = served.lease(version);
        if (lease.isPresent()) {
            return held(version, lease.get().epoch().loaded(), format, lease.get()::close);
        }
        LoadedModel rebuilt = rebuild.of(version);
        return held(version, rebuilt, format, rebuilt::close);
    }

    private Export held(long version, LoadedModel model, ExportFormat format, Runnable letGo) {
        boolean done = false;
        try {
            Held held = new Held(file(version, model, format), letGo);
            done = true;
            return held;
        } finally {
            if (!done) {
                letGo.run();
            }
        }
    }

    private ExportFile file(long version, LoadedModel model, ExportFormat format) {
        return switch (format) {
            case GGUF -> GgufExport.of(file.source(), model, otherMetadata.get());
            case SAFETENSORS -> SafetensorsExport.of(model, ChangePlanner.names(model), new TreeMap<>(Map.of(
                    "format", "pt", "tidestream.version", String.valueOf(version), "tidestream.base", file.identity())));
        };
    }

    /** One that is under way. */
    private final class Held implements Export {
        private final ExportFile out;
        private final Runnable letGo;
        private final PacedTeam.Pieces pieces = team.pieces();
        private final AtomicBoolean open = new AtomicBoolean(true);

        Held(ExportFile out, Runnable letGo) {
            this.out = out;
            this.letGo = letGo;
        }

        @Override
        public long bytes() {
            return out.bytes();
        }

        @Override
        public Optional<byte[]> next() {
            if (!open.get()) {
                throw new IllegalStateException("closed");
            }
            ByteArrayOutputStream chunk = new ByteArrayOutputStream(CHUNK_BYTES);
            try {
                boolean more = true;
                while (more && chunk.size() < CHUNK_BYTES) {
                    pieces.next(0);
                    long startNs = System.nanoTime();
                    Optional<byte[]> piece = out.next();
                    piece.ifPresent(chunk::writeBytes);
                    pieces.worked(System.nanoTime() - startNs);
                    more = piece.isPresent();
                }
            } finally {
                pieces.rest();
            }
            return chunk.size() == 0 ? Optional.empty() : Optional.of(chunk.toByteArray());
        }

        @Override
        public void close() {
            if (open.compareAndSet(true, false)) {
                letGo.run();
                underWay.decrementAndGet();
            }
        }
    }
}
