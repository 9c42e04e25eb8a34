package dev.tidestream.server.cli;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A server whose tied head was brought into another format: an update of its rows changes lookups and logits, and nothing else. */
class HeadFormatIT {
    private static final String EMBEDDING = "token_embd.weight";
    private static final int H = 128;
    private static final int V = 512;
    private static final int CHANGED = 42;
    private static final int TAKEN = 17;
    private static final int[] PROMPT = {5, 300, 77, 401, 9};

    @TempDir
    Path temp;

    @Test
    void shouldChangeLookupsAndLogitsOfTheRowsThatAreSent() throws Exception {
        try (StartedServer server = new StartedServer(temp, "-m", SharedData.path("golden/models/qwen2/hf").toString(),
                "--head-format", "q8_0"); AdminClient admin = server.admin(); TestClient client = new TestClient(server.port())) {
            LoadedModel before = server.running().first();
            assertTrue(before.tensor(EMBEDDING).orElseThrow() instanceof WeightTensor.Matrix(PanelMatrix panels)
                    && panels.format() == TensorFormat.Q8_0);
            float[] row = lookup(before, TAKEN);
            float[] logits = logits(before);

            ByteBuffer payload = ByteBuffer.allocate(4 + 4 * H).order(ByteOrder.LITTLE_ENDIAN).putInt(CHANGED);
            for (float value : row) {
                payload.putFloat(2 * value); // twice another row: as a block of Q8_0 the same numbers with twice the scale
            }
            String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(payload.array()));
            Path file = Files.write(temp.resolve("payload"), payload.array());
            assertEquals(2, admin.update(new AdminRequest.WeightsUpdate("r", "u", 1, EMBEDDING, UpdateKind.ROWS, List.of(1L, (long) H),
                    PayloadType.F32, sha256, payload.capacity(), OptionalInt.empty(), null), file, progress -> { }).weightsVersion());

            try (Lease lease = server.running().epochs().lease()) {
                LoadedModel after = lease.epoch().loaded();
                assertEquals(2, lease.epoch().weightsVersion());
                float[] changed = lookup(after, CHANGED);
                for (int i = 0; i < H; i++) {
                    assertEquals(2 * row[i], changed[i], 1e-6f, "element " + i);
                }
                float[] now = logits(after);
                for (int i = 0; i < now.length; i++) {
                    boolean same = i % V != CHANGED;
                    assertEquals(same ? logits[i] : 2 * now[i - CHANGED + TAKEN], now[i], same ? 0f : 1e-4f, "logit " + i);
                }
            }
            client.generate("a", "the", 2, ",\"sampling\":{\"temperature\":0,\"logit_bias\":{\"%d\":100}}".formatted(CHANGED));
            List<ServerMessage.Token> tokens = client.untilFinished("a").stream().filter(ServerMessage.Token.class::isInstance)
                    .map(ServerMessage.Token.class::cast).toList();
            assertEquals(List.of(CHANGED, CHANGED), tokens.stream().map(ServerMessage.Token::token).toList());
            assertEquals(2, tokens.getFirst().weightsVersion());
        }
    }

    private static float[] lookup(LoadedModel model, int token) {
        float[] row = new float[H];
        model.weights().embedding().lookup(token, row, 0);
        return row;
    }

    private static float[] logits(LoadedModel model) {
        return TestModels.logits(model.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, KvType.F32, 8), PROMPT, 8);
    }
}
