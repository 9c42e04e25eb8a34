package dev.tidestream.server.admin.store;

import java.io.PrintStream;
import java.nio.file.Path;
import java.time.InstantSource;

import dev.tidestream.server.admin.store.checkpoint.CheckpointWriter;

/**
 * Commits, and writes a checkpoint of every third version, until it is killed; prints {@code open}, then each version when it is
 * acknowledged.
 */
final class UpdateLogKillChild {
    private UpdateLogKillChild() {}

    /** Arguments: data directory, model file. */
    public static void main(String[] args) throws Exception {
        UpdateLog log = UpdateLog.open(
                Path.of(args[0]), Updates.sha256(Path.of(args[1])), UpdateLogLimits.DEFAULT, InstantSource.system());
        PrintStream out = System.out;
        out.println("open");
        while (true) {
            long version = log.currentVersion();
            VersionRecord record = version % 7 == 0
                    ? log.rollback(version - 3, version)
                    : Updates.commit(log, Updates.delta("u" + version, version));
            out.println(record.weightsVersion());
            out.flush();
            if (record.weightsVersion() % 3 == 0) {
                log.rebuilds().checkpoint(record.weightsVersion(), Updates.tensors(record.weightsVersion()), CheckpointWriter.Pacer.NONE);
            }
        }
    }
}
