package dev.tidestream.server.cluster.blob;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.cluster.blob.BlobException.Problem;
import dev.tidestream.server.cluster.peer.PeerClient;

/** Gives blobs to other nodes, and gets them from there; goes on where an earlier attempt has stopped. Any thread, which waits. */
public final class BlobClient {
    private static final Logger log = LoggerFactory.getLogger(BlobClient.class);
    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final long LEAST_BYTES_PER_SECOND = 1 << 20;
    private static final int ATTEMPTS = 3;
    private static final int CHUNK_BYTES = 256 << 10;
    private static final int OK = 200;
    private static final int PARTIAL = 206;
    private static final int NOT_FOUND = 404;

    private final PeerClient peers;

    /** @param peers who ask */
    public BlobClient(PeerClient peers) {
        this.peers = peers;
    }

    private static Duration forBytes(long bytes) {
        return ANSWER.plusSeconds(bytes / LEAST_BYTES_PER_SECOND);
    }

    private HttpRequest.Builder request(URI node, String sha256, long bytes) {
        return peers.request(node, BlobEndpoint.PATH + sha256, forBytes(bytes));
    }

    /**
     * How much of a blob a node has.
     *
     * @return -1 for all of it
     */
    public long receivedBytes(URI node, String sha256) throws IOException {
        HttpResponse<Void> head = peers.send(request(node, sha256, 0).method("HEAD", HttpRequest.BodyPublishers.noBody()),
                HttpResponse.BodyHandlers.discarding());
        if (head.statusCode() == OK) {
            return -1;
        }
        if (head.statusCode() != NOT_FOUND) {
            throw new IOException("a node does not say whether it has a blob: node=%s, status=%d".formatted(node, head.statusCode()));
        }
        return head.headers().firstValueAsLong(BlobEndpoint.RECEIVED).orElse(0);
    }

    /**
     * Gives a blob to a node that may have it, or a part of it; it is durable there when this returns.
     *
     * @param file that has it
     */
    public void put(URI node, String sha256, Path file) throws IOException {
        IOException last = null;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try {
                long from = receivedBytes(node, sha256);
                if (from < 0 || send(node, sha256, file, from)) {
                    return;
                }
                last = new BlobException(Problem.BUSY, "a node receives it from elsewhere: node=%s, sha256=%s".formatted(node, sha256));
            } catch (IOException e) {
                log.debug("a blob was not given: node={}, sha256={}", node, sha256, e);
                last = e;
            }
        }
        throw new IOException("a node does not take a blob: node=%s, sha256=%s".formatted(node, sha256), last);
    }

    /** @return false if the node has another part of it by now */
    private boolean send(URI node, String sha256, Path file, long from) throws IOException {
        long bytes = Files.size(file);
        HttpRequest.BodyPublisher rest = HttpRequest.BodyPublishers.fromPublisher(HttpRequest.BodyPublishers.ofInputStream(
                () -> open(file, from)), bytes - from);
        HttpRequest.BodyPublisher body = bytes == from ? HttpRequest.BodyPublishers.noBody() : rest;
        String range = "bytes %d-%d/%d".formatted(from, Math.max(from, bytes - 1), bytes);
        HttpResponse<Void> put = peers.send(
                request(node, sha256, bytes - from).PUT(body).header("content-range", range), HttpResponse.BodyHandlers.discarding());
        if (put.statusCode() == BlobEndpoint.CREATED) {
            return true;
        }
        if (put.statusCode() == BlobEndpoint.CONFLICT) {
            return false;
        }
        throw new IOException("a node refuses a blob: node=%s, sha256=%s, status=%d".formatted(node, sha256, put.statusCode()));
    }

    private static InputStream open(Path file, long from) {
        try {
            FileChannel channel = FileChannel.open(file);
            return Channels.newInputStream(channel.position(from));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Gets a blob that the store has not, from the first node that has it.
     *
     * @throws BlobException if none of them has it
     */
    public void fetch(List<URI> nodes, String sha256, long bytes, BlobStore store) throws IOException {
        IOException failure = new BlobException(
                Problem.MISSING, "no node has the blob: sha256=%s, bytes=%d, asked=%s".formatted(sha256, bytes, nodes));
        for (URI node : nodes) {
            if (store.find(sha256).isPresent()) {
                return;
            }
            try (BlobStore.Receiving receiving = store.receive(sha256, bytes)) {
                if (get(node, sha256, receiving)) {
                    return;
                }
            } catch (IOException e) {
                log.debug("a blob was not got: node={}, sha256={}", node, sha256, e);
                failure.addSuppressed(e);
            }
        }
        throw failure;
    }

    private boolean get(URI node, String sha256, BlobStore.Receiving receiving) throws IOException {
        long from = receiving.receivedBytes();
        HttpResponse<InputStream> got = peers.send(
                request(node, sha256, 0).GET().header("range", "bytes=%d-".formatted(from)), HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream in = got.body()) {
            if (got.statusCode() != OK && got.statusCode() != PARTIAL) {
                return false;
            }
            byte[] chunk = new byte[CHUNK_BYTES];
            for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
                receiving.write(ByteBuffer.wrap(chunk, 0, n));
            }
        }
        receiving.finish();
        return true;
    }
}
