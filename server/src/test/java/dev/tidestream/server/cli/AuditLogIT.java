package dev.tidestream.server.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.LoggedLines;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.cli.admin.AdminFailedException;
import dev.tidestream.server.logging.EventLog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Everything that administrators do to a real server stands in the log, in one line, with who and what. */
class AuditLogIT {
    /** A row of the embedded model, number 0: all zero. */
    private static final byte[] ROW = new byte[Integer.BYTES + 256 * Float.BYTES];
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** Ends a line, begins another one, and speaks to the terminal. */
    private static final String EVIL = "x\" outcome=committed\n2026-12-01T00:00:00.000Z INFO  audit - \u001b[2J";
    private static final String EVIL_SHOWN = "\"x\\\" outcome=committed\\n2026-12-01T00:00:00.000Z INFO  audit - \\u001b[2J\"";

    @TempDir
    Path temp;

    private static String hex(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private void update(AdminClient admin, String ref, String updateId, long base) throws Exception {
        Path payload = Files.write(temp.resolve("payload"), ROW);
        admin.update(new AdminRequest.WeightsUpdate(ref, updateId, base, "token_embd.weight", UpdateKind.ROWS, List.of(1L, 256L),
                PayloadType.F32, hex(ROW), ROW.length, OptionalInt.empty(), null), payload, progress -> {});
    }

    @Test
    void shouldWriteDownWhoDidWhatAndWhatBecameOfIt() throws Exception {
        try (LoggedLines logged = new LoggedLines(EventLog.AUDIT)) {
            try (StartedServer server = new StartedServer(temp); AdminClient admin = server.admin()) {
                update(admin, "1", "tune-7", 1);
                update(admin, "2", "tune-7", 1);
                admin.call(new AdminRequest.WeightsRollback("3", 1), progress -> {});
                admin.call(new AdminRequest.OptimizationSet("4", OptimizationMode.CACHED_TRANSPOSE, false), progress -> {});
                admin.call(new AdminRequest.OptimizationSet("5", OptimizationMode.CACHED_TRANSPOSE, true), progress -> {});
                admin.call(new AdminRequest.Stats("6"), progress -> {});
                assertThrows(AdminFailedException.class, () -> update(admin, EVIL, EVIL, 1));
                assertThrows(AdminFailedException.class, () -> admin.call(new AdminRequest.WeightsRollback("8", 99), progress -> {}));
                assertThrows(IOException.class, () -> AdminClient.connect(
                        URI.create("ws://127.0.0.1:%d/v1/admin".formatted(server.port())), "another-token-than-the-right-one", PATIENCE));
            }
            String who = " connection=a\\d+ remote=127\\.0\\.0\\.1:\\d+ token="
                    + hex(StartedServer.TOKEN.getBytes(StandardCharsets.UTF_8)).substring(0, 8);
            String what = " tensor=\"token_embd\\.weight\" kind=rows base_version=1 bytes=1028 sha256=" + hex(ROW);
            assertLines(logged.lines(),
                    "INFO connected" + who,
                    "INFO update outcome=committed" + who + " ref=\"1\" update_id=\"tune-7\"" + what + " version=2",
                    "INFO update outcome=repeated" + who + " ref=\"2\" update_id=\"tune-7\"" + what + " version=2",
                    "INFO rollback outcome=committed" + who + " ref=\"3\" to_version=1 version=3",
                    "INFO set_mode outcome=changed" + who + " ref=\"4\" mode=cached-transpose verify=false previous_mode=packed version=3",
                    "INFO set_mode outcome=unchanged" + who + " ref=\"5\" mode=cached-transpose verify=true "
                    + "previous_mode=cached-transpose version=3",
                    "WARN update outcome=refused" + who + " ref=" + Pattern.quote(EVIL_SHOWN) + " update_id=" + Pattern.quote(EVIL_SHOWN)
                            + what + " code=stale_base_version message=\".*\"",
                    "WARN rollback outcome=refused" + who + " ref=\"8\" to_version=99 code=unknown_version message=\".*\"",
                    "WARN token outcome=refused reason=wrong remote=127\\.0\\.0\\.1:\\d+ token="
                            + hex("another-token-than-the-right-one".getBytes(StandardCharsets.UTF_8)).substring(0, 8),
                    "INFO disconnected" + who + " requests=8 unanswered=0");
            assertFalse(logged.lines().toString().contains(StartedServer.TOKEN));
        }
    }

    private static void assertLines(List<String> lines, String... patterns) {
        for (int i = 0; i < patterns.length && i < lines.size(); i++) {
            assertTrue(lines.get(i).matches(patterns[i]), "line %d: %s%nis not: %s".formatted(i, lines.get(i), patterns[i]));
        }
        assertEquals(patterns.length, lines.size(), String.join("\n", lines));
    }
}
