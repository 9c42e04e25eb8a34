package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a test may know of the checkpoints in a data directory. */
public final class CheckpointFiles {
    /** The logger of whoever reads and writes them. */
    public static final String LOGGER = Checkpoints.class.getName();

    private CheckpointFiles() {}

    /** Whether a file is one, finished or not. */
    public static boolean isOurs(String file) {
        return Checkpoints.isOurs(file);
    }

    /** What the checkpoint of a version is called in a data directory whose history reaches that far. */
    public static String name(Path dataDir, long version) throws IOException {
        Manifest manifest = Manifest.parse(Files.readAllBytes(dataDir.resolve(UpdateLog.MANIFEST)));
        return "checkpoint-%d-%s.bin".formatted(version, VersionHistory.sha256(manifest, version).substring(0, 16));
    }
}
