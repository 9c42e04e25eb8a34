package dev.tidestream.loadtest;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.Codec;
import dev.tidestream.protocol.Limits;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.ProtocolException;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.WeightsPolicy;

/** Some streams on one socket of the JDK's own client. */
final class SmokeClient {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

    private final Codec codec = new Codec(Limits.DEFAULT);
    private final LongSupplier nanoTime;

    SmokeClient(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    SmokeReport run(URI url, String prompt, int streams, int maxTokens, Duration timeout) throws InterruptedException {
        long startNs = nanoTime.getAsLong();
        Receiver receiver = new Receiver(streams);
        for (int i = 0; i < streams; i++) {
            receiver.checks.put("s" + i, new StreamCheck("s" + i, maxTokens, startNs));
        }
        HttpClient http = HttpClient.newBuilder().connectTimeout(CONNECT_TIMEOUT).build();
        try {
            WebSocket socket = http.newWebSocketBuilder()
                    .connectTimeout(CONNECT_TIMEOUT)
                    .subprotocols(Protocol.SUBPROTOCOL)
                    .buildAsync(url, receiver)
                    .join();
            for (String id : List.copyOf(receiver.checks.keySet())) {
                socket.sendText(codec.encode(generate(id, prompt, maxTokens)), true).join();
            }
            if (!receiver.done.await(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                receiver.giveUp("no end within " + timeout.toSeconds() + " s");
            }
            socket.abort();
        } catch (CompletionException | IllegalArgumentException e) {
            receiver.giveUp(url + ": " + (e.getCause() == null ? e : e.getCause()));
        } finally {
            http.shutdownNow();
        }
        return receiver.report(startNs);
    }

    private static ClientMessage.Generate generate(String id, String prompt, int maxTokens) {
        return new ClientMessage.Generate(id, prompt, null, maxTokens, SamplingOptions.DEFAULT, List.of(), -1,
                WeightsPolicy.PIN, OptionalInt.empty());
    }

    /** Listens on the client's threads, one call at a time; the lock is for the thread that waits. */
    private final class Receiver implements WebSocket.Listener {
        private final Map<String, StreamCheck> checks = new LinkedHashMap<>();
        private final List<String> problems = new ArrayList<>();
        private final StringBuilder text = new StringBuilder();
        private final CountDownLatch done;

        Receiver(int streams) {
            this.done = new CountDownLatch(streams);
        }

        @Override
        public synchronized @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                String frame = text.toString();
                text.setLength(0);
                receive(frame);
            }
            socket.request(1);
            return null;
        }

        @Override
        public @Nullable CompletionStage<?> onClose(WebSocket socket, int statusCode, String reason) {
            giveUp("closed by the server: code=" + statusCode + ", reason=" + reason);
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            giveUp("connection lost: " + error);
        }

        private void receive(String frame) {
            try {
                ServerMessage message = codec.decodeServer(frame);
                StreamCheck check = message.id() == null ? null : checks.get(message.id());
                if (check == null) {
                    problems.add("a frame of no stream of ours: " + message);
                    return;
                }
                boolean running = !check.ended();
                check.accept(message, nanoTime.getAsLong());
                if (running && check.ended()) {
                    done.countDown();
                }
            } catch (ProtocolException e) {
                problems.add("not a frame of " + Protocol.SUBPROTOCOL + ": " + e.getMessage());
            }
        }

        synchronized void giveUp(String why) {
            for (StreamCheck check : checks.values()) {
                if (!check.ended()) {
                    check.close(why);
                    done.countDown();
                }
            }
        }

        synchronized SmokeReport report(long startNs) {
            List<String> all = new ArrayList<>(problems);
            checks.values().forEach(check -> all.addAll(check.problems()));
            return SmokeReport.of(List.copyOf(checks.values()), startNs, all);
        }
    }
}
