package dev.tidestream.server.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.admin.store.directory.Sha256;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * The whole server, killed at random instants of transactions of 1 to 40 tensors, in upload, commit and publish: never half a version, each
 * that was acknowledged is there, and parts that were acknowledged need not be sent again. A few in every build;
 * {@code -Dtidestream.transactions=100} for the full measure.
 */
class TransactionKillIT {
    private static final int TRANSACTIONS = Integer.getInteger("tidestream.transactions", 1);
    private static final int MAX_RUN_MICROS = 60_000;
    private static final int MAX_TENSORS = 40;
    private static final int MAX_TENSORS_OF_A_PART = 9;
    private static final int H = 256;
    private static final String TOKEN = "a-token-of-this-test-alone";
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path temp;

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(PATIENCE).build();
    private long version = 1;
    private long kills;
    private long resumedParts;
    private long committedUnheard;

    @Test
    void shouldNeverServeHalfATransaction() throws Exception {
        long seed = Long.getLong("tidestream.seed", System.nanoTime());
        System.out.println("TransactionKillIT: -Dtidestream.seed=" + seed);
        Random random = new Random(seed);
        Files.writeString(temp.resolve("token"), TOKEN);
        Child child = new Child();
        try {
            for (int n = 1; n <= TRANSACTIONS; n++) {
                Transaction transaction = new Transaction("t" + n, version, parts(n, random));
                boolean done = false;
                boolean killing = true;
                while (!done) {
                    String where = "seed=%d, transaction %d, kills=%d".formatted(seed, n, kills);
                    int after = killing ? random.nextInt(transaction.parts.size() + 2) : Integer.MAX_VALUE;
                    Kill kill = new Kill(child, after, random.nextInt(MAX_RUN_MICROS));
                    try {
                        done = run(child, transaction, kill, where);
                    } catch (IOException e) {
                        assertTrue(killing, () -> where + ": " + e);
                    }
                    if (killing) {
                        kill.await();
                        kills++;
                        child.close();
                        child = new Child();
                        check(child, transaction, done, where);
                        done |= transaction.committed;
                    }
                    killing = random.nextInt(3) > 0;
                }
            }
        } finally {
            child.close();
        }
        System.out.printf("TransactionKillIT: transactions=%d, kills=%d, parts found after kills=%d, committed but not acknowledged=%d%n",
                version - 1, kills, resumedParts, committedUnheard);
        assertEquals(TRANSACTIONS, version - 1);
        assertTrue(kills >= TRANSACTIONS / 2, "hardly killed: " + kills);
    }

    /** A kill that comes a while after a request has been sent, whichever that is. */
    private static final class Kill {
        private final Child child;
        private final int after;
        private final int micros;
        private CompletableFuture<?> killed = CompletableFuture.completedFuture(null);
        private int requests;

        Kill(Child child, int after, int micros) {
            this.child = child;
            this.after = after;
            this.micros = micros;
        }

        void requested() {
            if (requests++ == after) {
                killed = CompletableFuture.runAsync(child::kill, CompletableFuture.delayedExecutor(micros, TimeUnit.MICROSECONDS));
            }
        }

        void await() throws Exception {
            if (requests <= after) {
                child.kill();
            }
            killed.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    /** What is sent, and what was acknowledged of it. */
    private static final class Transaction {
        final String id;
        final long base;
        final List<byte[]> parts;
        final TreeSet<Integer> acknowledged = new TreeSet<>();
        boolean opened;
        boolean committed;

        Transaction(String id, long base, List<byte[]> parts) {
            this.id = id;
            this.base = base;
            this.parts = parts;
        }
    }

    /** A mark in each of 1 to 40 tensors, a few in a part. */
    private static List<byte[]> parts(int n, Random random) {
        List<String> names = new ArrayList<>(List.of("model.embed_tokens.weight", "model.norm.weight"));
        for (int layer = 0; layer < LAYERS; layer++) {
            for (String name : List.of("input_layernorm", "post_attention_layernorm", "self_attn.q_proj", "self_attn.k_proj",
                    "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj")) {
                names.add("model.layers.%d.%s.weight".formatted(layer, name));
            }
        }
        Collections.shuffle(names, random);
        List<String> chosen = names.subList(0, Math.min(names.size(), 1 + random.nextInt(MAX_TENSORS)));
        List<byte[]> parts = new ArrayList<>();
        for (int at = 0; at < chosen.size(); ) {
            int count = Math.min(chosen.size() - at, 1 + random.nextInt(MAX_TENSORS_OF_A_PART));
            Parts part = new Parts().with("kind", "full");
            for (String name : chosen.subList(at, at + count)) {
                mark(part, name, n);
            }
            parts.add(part.bytes());
            at += count;
        }
        return parts;
    }

    private static void mark(Parts part, String name, int n) {
        float[] values = new float[H];
        for (int i = 0; i < H; i++) {
            values[i] = name.contains("norm") ? 1 + (n + i % 7) / 1000f : (n + i % 13) / 10_000f;
        }
        if (name.contains("norm")) {
            part.floats(name, List.of(H), values);
        } else {
            part.with("kind." + name, "rows").ints(name + ".rows", n % 8).floats(name + ".values", List.of(1, H), values);
        }
    }

    private static final int LAYERS = 6;

    private boolean run(Child child, Transaction transaction, Kill kill, String where) throws IOException, InterruptedException {
        kill.requested();
        child.expect(where, "POST", "updates", "{\"update_id\":\"%s\",\"base_version\":%d,\"label\":\"%s\",\"tensors\":1}"
                .formatted(transaction.id, transaction.base, transaction.id).getBytes(StandardCharsets.UTF_8), null, 200, 201);
        transaction.opened = true;
        for (int i = 0; i < transaction.parts.size(); i++) {
            if (!transaction.acknowledged.contains(i)) {
                byte[] part = transaction.parts.get(i);
                kill.requested();
                child.expect(where, "PUT", "updates/%s/parts/%d".formatted(transaction.id, i), part, Sha256.of(part), 204);
                transaction.acknowledged.add(i);
            }
        }
        kill.requested();
        String body = child.expect(where, "POST", "updates/%s/commit".formatted(transaction.id),
                "{\"parts\":%d}".formatted(transaction.parts.size()).getBytes(StandardCharsets.UTF_8), null, 200);
        assertEquals(transaction.base + 1, JSON.readTree(body).get("version").asLong(), where);
        version = transaction.base + 1;
        transaction.committed = true;
        return true;
    }

    /** All of it, or nothing and the parts. */
    private void check(Child child, Transaction transaction, boolean acknowledged, String where) throws IOException, InterruptedException {
        JsonNode versions = JSON.readTree(child.expect(where, "GET", "versions", null, null, 200));
        long served = versions.get("current").asLong();
        assertEquals(served, versions.get("versions").size(), where);
        assertTrue(served == version || (!acknowledged && served == version + 1), where + ": version=" + version + ", served=" + served);
        committedUnheard += served - version;
        version = served;
        JsonNode sound = JSON.readTree(child.expect(where, "POST", "versions/%d/verify".formatted(served), new byte[0], null, 200));
        assertTrue(sound.get("sound").asBoolean(), where + ": " + sound);
        if (!transaction.opened) {
            return;
        }
        JsonNode state = JSON.readTree(child.expect(where, "GET", "updates/" + transaction.id, null, null, 200));
        transaction.committed = state.get("state").asText().equals("committed");
        assertEquals(served == transaction.base + 1, transaction.committed, where);
        if (!transaction.committed) {
            TreeSet<Integer> there = new TreeSet<>();
            state.get("parts").forEach(part -> there.add(part.get("part").asInt()));
            assertTrue(there.containsAll(transaction.acknowledged), where + ": acknowledged=" + transaction.acknowledged + ", " + there);
            resumedParts += there.size();
            transaction.acknowledged.addAll(there);
        }
        long leftovers = 0;
        try (var files = Files.list(temp.resolve("data"))) {
            leftovers = files.filter(file -> file.getFileName().toString().startsWith("open-")).count();
        }
        assertEquals(transaction.committed ? 0 : 1 + transaction.acknowledged.size(), leftovers, where);
    }

    /** A server in a process of its own. */
    private final class Child implements AutoCloseable {
        private final Process process;
        private final int port;

        Child() throws Exception {
            Path printed = temp.resolve("printed");
            Files.deleteIfExists(printed);
            process = new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xmx512m",
                    "-cp", System.getProperty("java.class.path"), Main.class.getName(), "serve", "--port", "0",
                    "--data-dir", temp.resolve("data").toString(), "--admin-token-file", temp.resolve("token").toString(),
                    "--checkpoint-updates", "20").redirectOutput(printed.toFile()).redirectErrorStream(true).start();
            boolean ready = false;
            try {
                port = Integer.parseInt(awaitReady(printed).replaceAll("(?s).* ready on ws://[^:]+:(\\d+)/.*", "$1"));
                ready = true;
            } finally {
                if (!ready) {
                    kill();
                }
            }
        }

        private String awaitReady(Path printed) throws IOException, InterruptedException {
            long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
            String text = "";
            while (!text.matches("(?s).* ready on ws://[^:]+:\\d+/.*")) {
                assertTrue(System.nanoTime() - deadlineNs < 0, text);
                assertFalse(process.waitFor(5, TimeUnit.MILLISECONDS), text);
                text = Files.readString(printed);
            }
            return text;
        }

        String expect(
                String where, String method, String path, byte @Nullable [] body, @Nullable String sha256, Integer... statuses)
                throws IOException, InterruptedException {
            HttpRequest.Builder request = HttpRequest.newBuilder()
                    .uri(URI.create("http://127.0.0.1:%d/admin/weights/%s".formatted(port, path)))
                    .timeout(PATIENCE).header("Authorization", "Bearer " + TOKEN)
                    .method(method, body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofByteArray(body));
            if (sha256 != null) {
                request.header("x-content-sha256", sha256);
            }
            HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            assertTrue(List.of(statuses).contains(response.statusCode()),
                    () -> "%s: %s %s: %d %s".formatted(where, method, path, response.statusCode(), response.body()));
            return response.body();
        }

        void kill() {
            process.destroyForcibly();
        }

        @Override
        public void close() {
            process.destroyForcibly().onExit().join();
        }
    }
}
