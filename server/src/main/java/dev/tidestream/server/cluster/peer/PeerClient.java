package dev.tidestream.server.cluster.peer;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.Executors;

/** Asks other nodes. Any thread, which waits. */
public final class PeerClient implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(2);

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT)
            .executor(Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("tidestream-peer-", 0).factory())).build();
    private final ClusterSecret secret;

    /** @param secret that is shown with every request */
    public PeerClient(ClusterSecret secret) {
        this.secret = secret;
    }

    /**
     * Begins a request.
     *
     * @param timeout until the head of the answer is there
     */
    public HttpRequest.Builder request(URI node, String path, Duration timeout) {
        return HttpRequest.newBuilder(node.resolve(path)).header("authorization", secret.header()).timeout(timeout);
    }

    /** @throws IOException if there is no answer; also if the thread is interrupted, which it then is again */
    public <T> HttpResponse<T> send(HttpRequest.Builder request, HttpResponse.BodyHandler<T> body) throws IOException {
        try {
            return http.send(request.build(), body);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while another node was asked").initCause(e);
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
