package dev.tidestream.server.cli;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.transport.NettyLeakCheck;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

/** Models of other architectures than LLaMA behind a server: golden streams, side by side, and an update of what only they have. */
class ArchitecturesIT {
    private static final int STREAMS = 3;
    private static final String[] EXACT = {"--activations", "f32", "--kv-type", "f32"};

    @RegisterExtension
    static final NettyLeakCheck LEAKS = new NettyLeakCheck();

    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource({"gpt2/gguf/gpt2-Q8_0, blk.1.attn_qkv.bias, 384", "qwen2/gguf/qwen2-Q4_0, blk.0.attn_v.bias, 64",
        "qwen3/gguf/qwen3-Q8_0, blk.1.attn_k_norm.weight, 96"})
    void shouldServeThem(String name, String tensor, int size) throws Exception {
        Path model = SharedData.path("golden/models/" + name + ".gguf");
        JsonNode golden = new ObjectMapper().readTree(SharedData.path("golden/models/" + name + ".json").toFile());
        int[] greedy = ints(golden.get("exact").get("greedy_ids"));
        String frame = frame(golden, greedy.length);
        int[] after;
        try (StartedServer server = new StartedServer(temp, with("-m", model.toString()));
                TestClient client = new TestClient(server.port());
                AdminClient admin = server.admin()) {
            for (int i = 0; i < STREAMS; i++) {
                client.send(frame.formatted("s" + i));
            }
            List<ServerMessage> messages = client.until(new Finishes(STREAMS)::all);
            for (int i = 0; i < STREAMS; i++) {
                assertArrayEquals(greedy, tokens(messages, "s" + i), "stream " + i);
            }
            assertEquals(2, admin.update(replacement(tensor, size), temp.resolve("payload"), progress -> {}).weightsVersion());
            client.send(frame.formatted("after"));
            after = tokens(client.untilFinished("after"), "after");
            assertFalse(Arrays.equals(greedy, after));
        }
        try (StartedServer server = new StartedServer(temp, with("-m", model.toString()));
                TestClient client = new TestClient(server.port())) {
            client.send(frame.formatted("again"));
            assertArrayEquals(after, tokens(client.untilFinished("again"), "again"), "after a restart");
        }
    }

    private static String[] with(String... more) {
        String[] all = Arrays.copyOf(EXACT, EXACT.length + more.length);
        System.arraycopy(more, 0, all, EXACT.length, more.length);
        return all;
    }

    private AdminRequest.WeightsUpdate replacement(String tensor, int size) throws Exception {
        ByteBuffer values = ByteBuffer.allocate(size * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < size; i++) {
            values.putFloat(i % 3 - 0.75f);
        }
        Files.write(temp.resolve("payload"), values.array());
        String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(values.array()));
        return new AdminRequest.WeightsUpdate("r", "u", 1, tensor, UpdateKind.REPLACE, List.of((long) size), PayloadType.F32, sha256,
                values.capacity(), OptionalInt.empty(), null);
    }

    private static String frame(JsonNode golden, int count) {
        String prompt = Arrays.stream(ints(golden.get("prompt_ids"))).mapToObj(String::valueOf).collect(Collectors.joining(","));
        return "{\"type\":\"generate\",\"id\":\"%%s\",\"tokens\":[%s],\"max_tokens\":%d,\"sampling\":{\"temperature\":0}}"
                .formatted(prompt, count);
    }

    /** Counts the streams that have come to their end. */
    private static final class Finishes {
        private int left;

        Finishes(int streams) {
            left = streams;
        }

        boolean all(ServerMessage message) {
            left -= message instanceof ServerMessage.Finished ? 1 : 0;
            return left == 0 || message instanceof ServerMessage.Failed;
        }
    }

    private static int[] tokens(List<ServerMessage> messages, String id) {
        return messages.stream()
                .filter(message -> message instanceof ServerMessage.Token token && token.id().equals(id))
                .mapToInt(message -> ((ServerMessage.Token) message).token()).toArray();
    }

    private static int[] ints(JsonNode array) {
        int[] out = new int[array.size()];
        Arrays.setAll(out, i -> array.get(i).asInt());
        return out;
    }
}
