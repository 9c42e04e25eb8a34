package dev.tidestream.server.cli;

import picocli.CommandLine.IVersionProvider;

import dev.tidestream.server.app.ProgramVersion;

/** What {@code --version} prints: our version, from the jar's manifest, and the JVM's. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {"tidestream %s (Java %s)".formatted(ProgramVersion.ours(), Runtime.version())};
    }
}
