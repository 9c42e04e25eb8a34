package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.cli.admin.AdminFailedException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** A real server, told how much its data directory may keep. */
class KeptVersionsIT {
    /** A row of the embedded model, number 0: all zero. */
    private static final byte[] ROW = new byte[Integer.BYTES + 256 * Float.BYTES];

    @TempDir
    Path temp;

    private AdminReply.Ack update(AdminClient admin, long base) throws Exception {
        Path payload = Files.write(temp.resolve("payload"), ROW);
        String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(ROW));
        return admin.update(new AdminRequest.WeightsUpdate("r" + base, "u" + base, base, "token_embd.weight", UpdateKind.ROWS,
                List.of(1L, 256L),
                PayloadType.F32, sha256, ROW.length, OptionalInt.empty(), null), payload, progress -> {});
    }

    @Test
    void shouldRefuseOneVersionTooMany() throws Exception {
        try (StartedServer server = new StartedServer(temp, "--max-kept-versions", "2"); AdminClient admin = server.admin()) {
            assertEquals(2, update(admin, 1).weightsVersion());
            assertEquals(3, admin.call(new AdminRequest.WeightsRollback("back", 1), progress -> {}).weightsVersion());
            AdminFailedException refused = assertThrows(AdminFailedException.class, () -> update(admin, 3));
            assertEquals(AdminErrorCode.TOO_MANY_VERSIONS, refused.code());
            assertEquals("too_many_versions: too many versions are kept: versions=2, limit=2", refused.getMessage());
        }
        try (StartedServer server = new StartedServer(temp, "--max-kept-versions", "3"); AdminClient admin = server.admin()) {
            assertEquals(4, update(admin, 3).weightsVersion(), "a higher limit, after a restart");
        }
        try (StartedServer server = new StartedServer(temp, "--max-kept-versions", "1"); AdminClient admin = server.admin()) {
            assertEquals(4, admin.call(new AdminRequest.WeightsStatus("s"), progress -> {}).weightsVersion(),
                    "more than may be kept are served");
            AdminFailedException refused = assertThrows(AdminFailedException.class, () -> update(admin, 4));
            assertEquals(AdminErrorCode.TOO_MANY_VERSIONS, refused.code());
        }
    }

    @Test
    void shouldRefuseOneByteTooMany() throws Exception {
        try (StartedServer server = new StartedServer(temp, "--max-kept-bytes", Integer.toString(2 * ROW.length - 1));
                AdminClient admin = server.admin()) {
            assertEquals(2, update(admin, 1).weightsVersion());
            AdminFailedException refused = assertThrows(AdminFailedException.class, () -> update(admin, 2));
            assertEquals(AdminErrorCode.TOO_MANY_BYTES, refused.code());
        }
    }
}
