package dev.tidestream.server.cluster.blob;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;

/** Copies blobs of a store to other nodes, until enough of them have all; the others go on getting theirs. Any thread. */
public final class BlobCopies implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(BlobCopies.class);

    private final BlobStore store;
    private final BlobClient client;
    private final ExecutorService threads =
            Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("tidestream-blob-copy-", 0).factory());

    /** @param store that has them */
    public BlobCopies(BlobStore store, BlobClient client) {
        this.store = store;
        this.client = client;
    }

    /**
     * Copies blobs.
     *
     * @param nodes to copy to
     * @param enough how many of these must have all
     * @return when so many have; fails when that cannot be any more
     */
    public CompletableFuture<Void> copy(List<String> blobs, List<URI> nodes, int enough) {
        CompletableFuture<Void> copied = new CompletableFuture<>();
        if (enough <= 0 || blobs.isEmpty()) {
            copied.complete(null);
        }
        AtomicInteger have = new AtomicInteger();
        AtomicInteger failed = new AtomicInteger();
        for (URI node : blobs.isEmpty() ? List.<URI>of() : nodes) {
            threads.execute(() -> {
                try {
                    copy(blobs, node);
                    if (have.incrementAndGet() >= enough) {
                        copied.complete(null);
                    }
                } catch (IOException | UncheckedIOException e) {
                    log.warn("blobs could not be copied to a node, which fetches them later: node={}, reason={}", node, Reasons.of(e));
                    if (nodes.size() - failed.incrementAndGet() < enough) {
                        copied.completeExceptionally(new IOException("too few nodes take the blobs: took=%d, needed=%d, asked=%d"
                                .formatted(have.get(), enough, nodes.size()), e));
                    }
                }
            });
        }
        return copied;
    }

    private void copy(List<String> blobs, URI node) throws IOException {
        for (String sha256 : blobs) {
            Path file = store.find(sha256).orElseThrow(() -> new UncheckedIOException(
                    new BlobException(BlobException.Problem.MISSING, "the blob is not here: sha256=" + sha256)));
            client.put(node, sha256, file);
        }
    }

    @Override
    public void close() {
        var _ = threads.shutdownNow();
    }
}
