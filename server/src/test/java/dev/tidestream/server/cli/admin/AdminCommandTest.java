package dev.tidestream.server.cli.admin;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

import io.vertx.core.buffer.Buffer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.cli.Run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The {@code admin} commands against a server that follows a script. */
class AdminCommandTest {
    private static final String SHA = "0123456789abcdef0123456789abcdef" + "0123456789abcdef0123456789abcdef";

    @TempDir
    Path folder;

    private Path tokenFile;

    @BeforeEach
    void writeTheToken() throws IOException {
        tokenFile = Files.writeString(folder.resolve("admin.token"), AdminScript.TOKEN + "\n");
    }

    /** Runs {@code admin args} with URL and token; nothing that is printed may have the token in it. */
    private Run admin(String url, String... args) {
        List<String> all = new ArrayList<>(List.of("admin"));
        all.addAll(List.of(args));
        all.addAll(List.of("--url", url, "--token-file", tokenFile.toString()));
        Run run = Run.of(all.toArray(String[]::new));
        assertFalse((run.out() + run.err()).contains(AdminScript.TOKEN), run.toString());
        return run;
    }

    private static AdminScript.Scene answer(long version, String details) {
        return (socket, request) -> socket.writeTextMessage(AdminScript.ack(request, version, details));
    }

    private static AdminScript.Scene say(String text) {
        return (socket, request) -> socket.writeTextMessage(text.replace("REF", request.ref()));
    }

    @Test
    void shouldShowTheStatus() throws Exception {
        AdminScript.Scene scene = (socket, request) -> socket.writeTextMessage(AdminScript.ack(request, 7, switch (request) {
            case AdminRequest.OptimizationStatus _ -> ",\"mode\":\"packed\",\"total_bytes\":2097152,\"tied\":true";
            case AdminRequest.WeightsStatus _ -> ",\"epochs\":[{\"version\":6,\"bytes\":10},{\"version\":7,\"bytes\":12}]";
            default -> throw new AssertionError(request);
        }));
        try (AdminScript server = new AdminScript(scene)) {
            assertEquals(new Run(0, """
                    FIELD                         VALUE
                    optimization.weights_version  7
                    optimization.mode             packed
                    optimization.total_bytes      2097152 (2.0 MiB)
                    optimization.tied             true
                    weights.weights_version       7

                    weights.epochs:
                    version  bytes
                          6     10
                          7     12
                    """, ""), admin(server.url(), "status"));
            assertEquals(new Run(0, """
                    {"optimization":{"type":"ack","ref":"optimization","weights_version":7,\
                    "mode":"packed","total_bytes":2097152,"tied":true},\
                    "weights":{"type":"ack","ref":"weights","weights_version":7,\
                    "epochs":[{"version":6,"bytes":10},{"version":7,"bytes":12}]}}
                    """, ""), admin(server.url() + "/v1/admin", "status", "--json"));
        }
    }

    @Test
    void shouldShowTheStatistics() throws Exception {
        try (AdminScript server = new AdminScript(
                answer(1, ",\"head\":{\"packed\":{\"p50_us\":12.3456789}},\"list\":[1,\"a\\u001b[2J\"],\"nothing\":[]"))) {
            assertEquals(new Run(0, """
                    FIELD               VALUE
                    weights_version     1
                    head.packed.p50_us  12.3457
                    list                [1, a\\\\u001b[2J]
                    nothing             []
                    """, ""), admin("http://127.0.0.1:" + server.port() + "/", "stats"));
            assertEquals(new AdminRequest.Stats("stats"), server.requests.poll());
        }
    }

    @Test
    void shouldShowTheStreams() throws Exception {
        try (AdminScript server = new AdminScript(answer(3, ",\"total\":2,\"streams\":["
                + "{\"stream\":7,\"state\":\"running\",\"weights_version\":3,\"age_ms\":12.5},"
                + "{\"stream\":9,\"state\":\"parked\",\"weights_version\":2,\"adapter\":\"law\",\"age_ms\":2}]"))) {
            assertEquals(new Run(0, """
                    FIELD            VALUE
                    weights_version  3
                    total            2

                    streams:
                    stream  state    weights_version  age_ms  adapter
                         7  running                3    12.5  -
                         9  parked                 2       2  law
                    """, ""), admin(server.url(), "streams"));
            assertEquals(new AdminRequest.Streams("streams"), server.requests.poll());
        }
    }

    @Test
    void shouldShowTheHistory() throws Exception {
        try (AdminScript server = new AdminScript(answer(3, ",\"versions\":[{\"weights_version\":2,\"tensor\":\"a\",\"sha256\":\""
                + SHA + "\"},"
                + "{\"weights_version\":3,\"to_version\":1,\"error\":{\"max\":1e-7}}]"))) {
            assertEquals(new Run(0, """
                    FIELD            VALUE
                    weights_version  3

                    versions:
                    weights_version  tensor  sha256         to_version  error.max
                                  2  a       0123456789ab…           -          -
                                  3  -       -                       1     1.0E-7
                    """, ""), admin(server.url(), "history"));
            assertEquals(new AdminRequest.WeightsHistory("history"), server.requests.poll());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "packed, , PACKED, true",
        "CACHED-TRANSPOSE, --verify, CACHED_TRANSPOSE, true",
        "transpose-per-step, --no-verify, TRANSPOSE_PER_STEP, false",
    })
    void shouldSetTheMode(String mode, String option, OptimizationMode sent, boolean verify) throws Exception {
        try (AdminScript server = new AdminScript(answer(1, ",\"mode\":\"x\""))) {
            Run run = option == null ? admin(server.url(), "set-mode", mode) : admin(server.url(), "set-mode", mode, option);
            assertEquals(new Run(0, "FIELD            VALUE\nweights_version  1\nmode             x\n", ""), run);
            assertEquals(new AdminRequest.OptimizationSet("set-mode", sent, verify), server.requests.poll());
        }
    }

    @Test
    void shouldRollBack() throws Exception {
        try (AdminScript server = new AdminScript(answer(9, ""))) {
            assertEquals(new Run(0, "{\"type\":\"ack\",\"ref\":\"rollback\",\"weights_version\":9}\n", ""),
                    admin(server.url(), "rollback", "4", "--json"));
            assertEquals(new AdminRequest.WeightsRollback("rollback", 4), server.requests.poll());
        }
    }

    @Test
    void shouldUpdateFromAFileOfTheServer() throws Exception {
        try (AdminScript server = new AdminScript(answer(5, ""))) {
            assertEquals(0, admin(server.url(), "update", "--tensor", "t", "--kind", "low_rank", "--rank", "3", "--shape", "4,5",
                    "--dtype", "BF16", "--path", "a/b.safetensors", "--sha256", SHA, "--update-id", "u", "--base-version", "4").code());
            assertEquals(new AdminRequest.WeightsUpdate("update", "u", 4, "t", UpdateKind.LOW_RANK, List.of(4L, 5L), PayloadType.BF16,
                    SHA, 54, OptionalInt.of(3), "a/b.safetensors"), server.requests.poll());
            assertEquals(0, admin(server.url(), "update", "--tensor", "t", "--kind", "delta", "--shape", "2,3,1,1", "--dtype", "f16",
                    "--path", "x", "--sha256", SHA, "--byte-length", "12").code());
            assertEquals(new AdminRequest.WeightsStatus("status"), server.requests.poll());
            AdminRequest.WeightsUpdate update = (AdminRequest.WeightsUpdate) server.requests.take();
            assertEquals(List.of(5L, 12L, 36), List.of(update.baseVersion(), update.byteLength(), update.updateId().length()));
        }
    }

    @Test
    void shouldPassProgressBy() throws Exception {
        AdminScript.Scene scene = (socket, request) -> {
            for (int done = 0; done <= 3; done++) {
                socket.writeTextMessage("{\"type\":\"progress\",\"ref\":\"%s\",\"stage\":\"building\",\"done\":%d,\"of\":3,\"new\":{}}"
                        .formatted(request.ref(), done));
            }
            socket.writeTextMessage(AdminScript.ack(request, 1, ""));
        };
        try (AdminScript server = new AdminScript(scene)) {
            assertEquals(new Run(0, "FIELD            VALUE\nweights_version  1\n", ""), admin(server.url(), "set-mode", "packed"));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"type\":\"failed\",\"ref\":\"REF\",\"code\":\"no_tied_weights\",\"message\":\"not tied\",\"more\":[null]} "
                + "| no_tied_weights: not tied",
        "{\"type\":\"failed\",\"code\":\"internal\",\"message\":\"a\\nb\\u001b\"} | internal: a\\nb\\u001b",
        "{\"type\":\"failed\",\"ref\":\"other\",\"code\":\"internal\",\"message\":\"\"} "
                + "| the server sent what is no reply: nothing of this ref was asked: ref=other",
        "{\"type\":\"fail | the server sent what is no reply: the frame is not one JSON object: Unexpected end-of-input*",
        "{\"type\":\"sorry\",\"ref\":\"REF\"} | the server sent what is no reply: unknown type: \"sorry\"",
        "{\"type\":\"ack\",\"ref\":\"REF\"} | the server sent what is no reply: missing field: weights_version",
    })
    void shouldSayWhatWentWrongInOneLine(String frame, String message) throws Exception {
        try (AdminScript server = new AdminScript(say(frame))) {
            Run run = admin(server.url(), "stats");
            String expected = "tidestream: " + message;
            assertEquals(1, run.code());
            assertEquals("", run.out());
            assertEquals(1, run.err().lines().count(), run.err());
            if (message.endsWith("*")) {
                assertTrue(run.err().startsWith(expected.substring(0, expected.length() - 1)), run.err());
            } else {
                assertEquals(expected + "\n", run.err());
            }
        }
    }

    @Test
    void shouldSayThatTheTokenIsNotAccepted() throws Exception {
        try (AdminScript server = new AdminScript(answer(1, ""))) {
            Path other = Files.writeString(folder.resolve("other"), "another-token");
            Run run = Run.of("admin", "stats", "--url", server.url(), "--token-file", other.toString());
            assertEquals(new Run(1, "", "tidestream: unauthorized: %s/v1/admin does not accept this token\n".formatted(server.url())), run);
        }
    }

    @Test
    void shouldSayWhenToTryAgainAfterTooManyWrongTokens() throws Exception {
        try (AdminScript server = new AdminScript(answer(1, ""))) {
            server.throttled = true;
            Path other = Files.writeString(folder.resolve("other"), "another-token");
            Run run = Run.of("admin", "stats", "--url", server.url(), "--token-file", other.toString());
            assertEquals(new Run(1, "", ("tidestream: too_many_attempts: %s/v1/admin has seen too many wrong tokens from here;"
                    + " try again in 7 s\n").formatted(server.url())), run);
        }
    }

    @Test
    void shouldSayThatThereIsNoAdminChannel() throws Exception {
        try (AdminScript server = new AdminScript(answer(1, ""))) {
            assertEquals(new Run(1, "", "tidestream: %s/x/v1/admin answered with HTTP status 404 instead of a WebSocket\n"
                    .formatted(server.url())), admin(server.url() + "/x", "stats"));
        }
        try (AdminScript server = new AdminScript("another.v1", answer(1, ""))) {
            Run run = admin(server.url(), "stats");
            assertEquals(1, run.code());
            assertTrue(run.err().startsWith("tidestream: ") && run.err().lines().count() == 1, run.err());
        }
    }

    @Test
    void shouldSayThatNobodyListens() {
        // port 1: a free one that is looked for may be somebody else's a moment later
        assertEquals(new Run(1, "", "tidestream: cannot connect to ws://127.0.0.1:1/v1/admin: connection refused\n"),
                admin("ws://127.0.0.1:1", "stats"));
    }

    @Test
    void shouldNotWaitForEverForAConnection() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String url = "ws://127.0.0.1:" + silent.getLocalPort();
            assertEquals(new Run(1, "", "tidestream: cannot connect to %s/v1/admin: no answer within 1 s\n".formatted(url)),
                    admin(url, "stats", "--timeout", "1"));
        }
    }

    @Test
    void shouldSayThatTheServerClosed() throws Exception {
        try (AdminScript server = new AdminScript((socket, request) -> socket.close((short) 1001, "going away"))) {
            assertEquals(new Run(1, "", "tidestream: the server closed the connection: status=1001, going away\n"),
                    admin(server.url(), "stats"));
        }
        try (AdminScript server = new AdminScript((socket, request) -> socket.writeBinaryMessage(Buffer.buffer("x")))) {
            assertEquals(new Run(1, "", "tidestream: the server sent a binary frame\n"), admin(server.url(), "stats"));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "status --url ftp://x | --url must begin with ws://, wss://, http:// or https://",
        "status --url 127.0.0.1:8080 | --url is no URL: write ws://host:port",
        "status --url ws://user:pass@host | --url must be scheme://host:port and nothing else but a path",
        "status --url ws:///x | --url must be scheme://host:port and nothing else but a path",
        "status --timeout 0 | --timeout must be 1 to 3600: 0",
        "set-mode | MODE is missing, for example tidestream admin set-mode packed --token-file admin.token",
        "set-mode fast | MODE: 'fast' is no mode: one of transpose-per-step, cached-transpose, packed, "
                + "for example tidestream admin set-mode packed --token-file admin.token",
        "rollback 0 | VERSION must be at least 1: 0",
        "rollback x | VERSION must be a whole number: 'x', for example tidestream admin rollback 3 --token-file admin.token",
        "status x | unexpected argument 'x'",
    })
    void shouldRefuseWrongUsage(String args, String message) {
        Run run = Run.of(("admin " + args).split(" ", -1));
        String command = "tidestream admin " + args.split(" ", -1)[0];
        assertEquals(new Run(2, "", "tidestream: %s (see %s --help)\n".formatted(message, command)), run);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--shape 2 --kind rows --payload FILE | --shape must have 2 dimensions for kind rows: [2]",
        "--shape 1,1,1,1,1 --kind delta --payload FILE | --shape must have 1 to 4 dimensions for kind delta: [1, 1, 1, 1, 1]",
        "--shape 2,0 --kind replace --payload FILE | --shape must be 1 to 2147483647: 0",
        "--shape 2,2 --kind low_rank --payload FILE | kind low_rank needs --rank",
        "--shape 2,2 --kind low_rank --rank 0 --payload FILE | --rank must be at least 1: 0",
        "--shape 2,2 --kind delta --rank 1 --payload FILE | --rank is for kind low_rank only: kind=delta",
        "--shape 2,2 --kind delta --path x | --path needs --sha256",
        "--shape 2,2 --kind delta --path x --sha256 ABC | --sha256 must be 64 lower-case hexadecimal digits",
        "--shape 2,2 --kind delta --path x --sha256 " + SHA + " --byte-length 15 "
                + "| --byte-length must be what kind, shape and dtype make: 15, expected 16",
        "--shape 2,2 --kind delta --payload FILE --sha256 " + SHA
                + " | --sha256 and --byte-length are for --path only: those of --payload are computed",
        "--shape 2,2 --kind delta --payload FILE --base-version 0 | --base-version must be at least 1: 0",
        "--shape 2,2 --kind delta --payload FILE | FILE has not the length that kind, shape and dtype make: bytes=5, expected=16",
        "--shape 2147483647,2147483647,2147483647 --kind delta --payload FILE "
                + "| --shape makes too large a payload: [2147483647, 2147483647, 2147483647]",
        "--shape 2,2 --kind delta | give --payload FILE or --path SERVER_FILE, one of them",
        "--shape 2,2 --kind delta --path x --payload y | give --payload FILE or --path SERVER_FILE, one of them",
    })
    void shouldRefuseAnUpdateThatCannotBe(String args, String message) throws Exception {
        Path file = Files.writeString(folder.resolve("payload"), "12345");
        String[] all = Stream.concat(
                Stream.of("admin", "update", "--tensor", "t", "--dtype", "f32", "--token-file", tokenFile.toString()),
                Stream.of(args.replace("FILE", file.toString()).split(" ", -1))).toArray(String[]::new);
        String expected = message.startsWith("FILE ") ? file + message.substring(4) : message;
        assertEquals(new Run(2, "", "tidestream: %s (see tidestream admin update --help)\n".formatted(expected)), Run.of(all));
    }

    @Test
    void shouldRefuseAMissingFile() {
        assertEquals(new Run(1, "", "tidestream: no-such.bin: no such file\n"), admin("ws://127.0.0.1:9", "update", "--tensor", "t",
                "--kind", "delta", "--shape", "2", "--dtype", "f32", "--payload", "no-such.bin"));
    }

    @Test
    void shouldNeedACommand() {
        assertEquals(new Run(2, "", "tidestream: a command is missing; there are adapters, history, load-adapter, rollback,"
                + " set-mode, stats, status, streams, unload-adapter, update (see tidestream admin --help)\n"), Run.of("admin"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"status", "stats", "streams", "set-mode", "update", "rollback", "history"})
    void shouldExplainEveryCommandWithExamples(String command) {
        Run help = Run.of("admin", command, "--help");
        assertEquals(0, help.code());
        assertTrue(help.out().contains("Examples:") && help.out().contains("tidestream admin " + command), help.out());
        assertTrue(help.out().contains("--token-file"), help.out());
        assertTrue(Run.of("admin", "--help").out().contains(command));
    }
}
