package dev.tidestream.server.cli;

import picocli.CommandLine.IVersionProvider;

import dev.tidestream.server.app.ProgramVersion;

/** What {@code --version} prints: our version, from the jar's manifest, the commit it was built from, if that is known, and the JVM's. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String commit = ProgramVersion.commit().map("commit %s, "::formatted).orElse("");
        return new String[] {"tidestream %s (%sJava %s)".formatted(ProgramVersion.ours(), commit, Runtime.version())};
    }
}
