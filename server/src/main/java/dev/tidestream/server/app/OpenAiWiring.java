package dev.tidestream.server.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.directory.DataDirException;
import dev.tidestream.server.admin.store.directory.DirectoryStorage;
import dev.tidestream.server.admin.store.directory.Storage;
import dev.tidestream.server.openai.Backend;
import dev.tidestream.server.openai.OpenAiEndpoints;
import dev.tidestream.server.openai.ServedModel;
import dev.tidestream.server.openai.lanes.ResponseLanes;
import dev.tidestream.server.openai.responses.MemoryResponses;
import dev.tidestream.server.openai.responses.ResponseStore;
import dev.tidestream.server.openai.responses.ResponsesEndpoints;
import dev.tidestream.server.openai.responses.disk.DiskLimits;
import dev.tidestream.server.openai.responses.disk.DiskResponses;
import dev.tidestream.server.receipts.verify.VerifyEndpoints;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.WebSocketWire;
import dev.tidestream.server.transport.endpoint.EndpointFactory;

/** What OpenAI's endpoints answer from: the model that is served, and responses that are kept; closed when nobody asks any more. */
final class OpenAiWiring implements AutoCloseable {
    private static final String DIRECTORY = "responses"; // in the data directory

    private final Served served;
    private final long loadedS = Instant.now().getEpochSecond();
    private final ServerConfig config;
    private final ResponseStore responses;
    private final @Nullable DiskResponses disk;
    private final ModelFingerprints fingerprints;
    private final ReceiptWiring receipts;
    private final boolean signs;

    /**
     * @param log of updates; null if there is none here
     * @throws ServerException if responses cannot be kept in the data directory
     */
    OpenAiWiring(ServerConfig config, Served served, @Nullable UpdateLog log) {
        this(config, served, log, true);
    }

    /**
     * The same.
     *
     * @param signs whether receipts are issued: not where it is not known what updates a version has
     */
    OpenAiWiring(ServerConfig config, Served served, @Nullable UpdateLog log, boolean signs) {
        this.signs = signs;
        this.config = config;
        this.served = served;
        fingerprints = ModelFingerprints.of(served, log, config.compute().formats());
        receipts = new ReceiptWiring(config, served, fingerprints);
        ServerConfig.Chats chats = config.chats();
        MemoryResponses memory = new MemoryResponses(chats.maxStoredResponses(), chats.storedResponseBytes());
        Path directory = config.updates().dataDir();
        disk = directory == null || chats.maxStoredResponses() == 0 ? null : onDisk(directory.resolve(DIRECTORY), chats.disk(), memory);
        responses = disk == null ? memory : disk;
    }

    private static DiskResponses onDisk(Path directory, DiskLimits limits, MemoryResponses memory) {
        try {
            Storage storage = DirectoryStorage.open(directory);
            try {
                return DiskResponses.open(storage, limits, memory);
            } catch (IOException e) {
                storage.close();
                throw e;
            }
        } catch (DataDirException e) {
            throw new ServerException(ServerException.Reason.DATA_DIRECTORY, "cannot keep responses: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new ServerException(
                    ServerException.Reason.DATA_DIRECTORY, "cannot keep responses in %s: %s".formatted(directory, Reasons.of(e)), e);
        }
    }

    /** Completes when receipts can be issued without waiting. */
    CompletableFuture<?> receiptsReady() {
        return receipts.issuer().ready();
    }

    /** Serves them: requests over HTTP, and lanes over WebSockets. */
    void serve(ServerVerticle verticle) {
        Backend backend = new Backend(served.engine(), served.tokenizer(), served.chat(), this::model, fingerprints, served::adapters,
                signs ? receipts.issuer() : null, served::defaultMaxTokens);
        if (signs) {
            verticle.issuing(receipts.issuer());
        }
        verticle.serving(EndpointFactory.all(List.of(new OpenAiEndpoints(backend), new ResponsesEndpoints(backend, responses),
                new VerifyEndpoints(backend, receipts.own(), receipts.trusted(), receipts.content(),
                        config.receipts().maxVerifications(), config.receipts().verificationTimeout()))));
        verticle.serving(new WebSocketWire(ResponseLanes.PATH, ResponseLanes.SUBPROTOCOL,
                new ResponseLanes(backend, responses, config.chats().lanes())::session));
    }

    private ServedModel model() {
        return new ServedModel(
                served.blueprint().name(),
                loadedS,
                served.blueprint().contextLength(),
                served.vocabularySize(),
                OptionalLong.of(served.parameters()),
                served.weightsVersion(),
                served.headMode());
    }

    /** What has ended is on disk when this returns. */
    @Override
    public void close() {
        try {
            if (disk != null) {
                disk.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the directory of responses could not be released", e);
        }
    }
}
